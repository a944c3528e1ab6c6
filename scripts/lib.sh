# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts that keep series/ and build/linux alike share.  Source it; it changes no directory.

# git sets these where it runs a hook, or what a rebase executes: they name another repository.
# shellcheck disable=SC2046 # names
unset $(git rev-parse --local-env-vars) GIT_EXTERNAL_DIFF GIT_DIFF_OPTS
# shellcheck source=../ci/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../ci/lib.sh"

# as_user COMMAND...: with the user's own settings, as b4 will see them.
export USER_GIT_CONFIG=${USER_GIT_CONFIG-${GIT_CONFIG_GLOBAL-}}
as_user() (
	unset GIT_CONFIG_COUNT GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM
	[ -z "$USER_GIT_CONFIG" ] || export GIT_CONFIG_GLOBAL=$USER_GIT_CONFIG
	"$@"
)

# Here none of them counts, nor do those of build/linux that change what is written.
git_settings+=(color.ui=false core.hooksPath=/dev/null core.attributesFile=/dev/null core.safecrlf=false
	apply.whitespace=nowarn apply.ignoreWhitespace=no mailinfo.scissors=false i18n.commitEncoding=UTF-8
	i18n.logOutputEncoding=UTF-8 log.showSignature=false diff.suppressBlankEmpty=false diff.context=3
	rebase.abbreviateCommands=false rebase.autoSquash=false rebase.autoStash=false rebase.rebaseMerges=false)
while read -r i; do
	git_settings+=("safe.directory=$i")
done < <(as_user git -C / config --get-all safe.directory)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
export GIT_CONFIG_COUNT=${#git_settings[@]}
for i in "${!git_settings[@]}"; do
	export "GIT_CONFIG_KEY_$i=${git_settings[i]%%=*}" "GIT_CONFIG_VALUE_$i=${git_settings[i]#*=}"
done

g() { git -C "$linux" "$@"; }
topics() { sed '/^#/d; /^$/d' "${series:-$top/series}/topics"; }

# write_patches TREE DIR FROM TO: the commits as series/ keeps them.  A patch file depends on the commit alone: not on its id,
# the git version or the queue's length, nor on what TREE's own settings and attributes say: a repository that has none reads
# it.
write_patches() (
	git_dir=$(git -C "$1" rev-parse --path-format=absolute --git-common-dir)
	range=$(git -C "$1" rev-parse "$3^{commit}")..$(git -C "$1" rev-parse "$4^{commit}")
	bare=$(mktemp -d)
	trap 'rm -rf "$bare"' EXIT
	git init -q --bare --template= "$bare" && mkdir -p "$bare/objects/info" "$2" &&
		echo "$git_dir/objects" > "$bare/objects/info/alternates" &&
		{ [ ! -e "$git_dir/shallow" ] || cp "$git_dir/shallow" "$bare"; } &&
		git -C "$1" --git-dir="$bare" --work-tree=. format-patch -q --zero-commit --no-signature -N --full-index \
			--no-renames --diff-algorithm=histogram --no-thread --no-cover-letter --subject-prefix=PATCH \
			-o "$(realpath "$2")" "$range"
)

# replace_patches FROM TO: the new ones are there before an old one goes.
replace_patches() {
	local patch
	mkdir -p "$2"
	for patch in "$1"/[0-9]*.patch; do
		[ ! -e "$patch" ] || cmp -s "$patch" "$2/${patch##*/}" || cp "$patch" "$2"
	done
	for patch in "$2"/[0-9]*.patch; do
		[ -e "$1/${patch##*/}" ] || rm -f "$patch"
	done
}
