# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # V_* come from ci/verify
# What the checks share.
set -uo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../lib.sh"

say() { echo "$*" > "$V_OUT/summary"; }
prove() { say "$@"; exit 0; }
fall() { say "$@"; exit 1; }
none() { say "$@"; exit 77; }
unjudged() { say "$@"; echo "$*"; exit 2; }

# new_messages BEFORE AFTER: the messages of file AFTER that BEFORE has not.
new_messages() {
	comm -13 <(awk -f "$top/ci/remap.awk" \
			<(git -C "$V_SRC" diff -U0 --no-renames "$V_BEFORE" "$V_AFTER") "$1" | sort -u) \
		<(sort -u "$2")
}

# at_commit COMMIT: a folder with that state of the touched files, and what scripts/ need.
files_at() {
	local commit=$1 dir=$2 path
	mkdir -p "$dir"
	while read -r path; do
		git -C "$V_SRC" cat-file -e "$commit:$path" 2> /dev/null || continue
		mkdir -p "$dir/$(dirname "$path")"
		git -C "$V_SRC" show "$commit:$path" > "$dir/$path"
	done
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
