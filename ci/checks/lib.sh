# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # V_* come from ci/verify
# What the checks share.
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../lib.sh"

say() { echo "$*" > "$V_OUT/summary"; }
prove() { say "$@"; exit 0; }
fall() { say "$@"; exit 1; }
none() { say "$@"; exit 77; }
unjudged() { say "$@"; echo "$*"; exit 2; }

# tree_of COMMIT: what is kept of its tree.  runs_of COMMIT: what its tests said, by which tests they were.
tree_of() { echo "$V_TREES/$(git -C "$V_SRC" rev-parse "$1^{tree}")"; }
runs_of() { echo "$(tree_of "$1")/runs${V_SET:-}"; }

# new_messages BEFORE AFTER: the messages of file AFTER that BEFORE has not.
new_messages() {
	comm -13 <(awk -f "$top/ci/remap.awk" \
			<(git -C "$V_SRC" diff -U0 --no-renames "$V_BEFORE" "$V_AFTER") "$1" | sort -u) \
		<(sort -u "$2")
}

# files_at COMMIT DIR: the touched files as they are in COMMIT.
files_at() {
	local commit=$1 dir=$2 path
	while read -r path; do
		git -C "$V_SRC" cat-file -e "$commit:$path" 2> /dev/null || continue
		mkdir -p "$dir/$(dirname "$path")"
		git -C "$V_SRC" show "$commit:$path" > "$dir/$path"
	done < "$V_FILES"
}

# tree_before: print a whole tree at the state before the patch.
tree_before() {
	local tree=$build/verify/before
	if [ -e "$tree/.git" ]; then
		git -C "$tree" checkout -q -f --detach "$V_BEFORE"
	else
		git -C "$V_SRC" worktree add -q -f --detach "$tree" "$V_BEFORE"
	fi > /dev/null && echo "$tree"
}

touched() { grep -E "$1" "$V_FILES"; }

# run2 FUNCTION NAMES...: FUNCTION for each NAME, two at a time; fails if one does.
run2() {
	local fn=$1 name rc=0
	shift
	for name; do
		"$fn" "$name" &
		[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n || rc=1
	done
	while [ -n "$(jobs -p)" ]; do
		wait -n || rc=1
	done
	return $rc
}
