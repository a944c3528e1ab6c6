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
git_settings+=(color.ui=false core.hooksPath=/dev/null core.attributesFile=/dev/null core.safecrlf=false core.fsmonitor=false
	apply.whitespace=nowarn apply.ignoreWhitespace=no mailinfo.scissors=false mailinfo.quotedCR=nowarn i18n.commitEncoding=UTF-8
	i18n.logOutputEncoding=UTF-8 log.showSignature=false diff.suppressBlankEmpty=false diff.context=3
	rebase.abbreviateCommands=false rebase.autoSquash=false rebase.autoStash=false rebase.rebaseMerges=false)
while read -r i; do
	git_settings+=("safe.directory=$i")
done < <(as_user git -C / config --get-all safe.directory 2> /dev/null)
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

# In the repository, so that "make clean" does not forget: the id of series/, the queue made of it, its base.
record=$linux/.git/queue-made
# Stands while refresh writes series/.
# shellcheck disable=SC2034 # for those who source it
writing=$linux/.git/refresh-under-way
# shellcheck disable=SC2034 # for those who source it
read -r made_id made_queue made_base < <(cat "$record" 2> /dev/null) || true

# alone: no other script writes series/ or the queue while this one does.  The lock goes with the process.
alone() {
	[ -d "$linux/.git" ] || die "no kernel source in build/linux; run 'make base'"
	exec 9> "$linux/.git/queue-lock"
	flock -n 9 || die "another scripts/tree or scripts/refresh is at work on build/linux"
}

# changed: the files of build/linux with edits that are in no commit.
changed() { g status --porcelain --untracked-files=no | cut -c4-; }

# strays REV NOT...: the first of REV's commits that is in none of the others, less what scripts/tree made.
strays() {
	local rev=$1 not=("${@:2}")
	! g rev-parse -q --verify "${made_queue:-none}^{commit}" > /dev/null || not+=("$made_queue")
	g log --format='%h %ce' "$rev" --not "${not[@]}" | grep -vm1 ' queue@localhost$'
}

# What is in no branch would be gone without a word when another is checked out, and so would be what only a topic/NAME has
# when it is set anew.
no_stray_head() {
	g symbolic-ref -q HEAD > /dev/null || [ -z "$(strays HEAD --branches --tags --remotes)" ] ||
		die "$linux has commits that are on no branch: 'git -C $linux branch mine HEAD' keeps them, 'git -C $linux checkout queue' leaves them; what goes to series/ is queue"
}
no_stray_topics() {
	local topic
	g rev-parse -q --verify refs/heads/queue > /dev/null || return 0
	for topic in $(topics); do
		topic=topic/$topic
		[ -z "$(strays "$topic" queue 2> /dev/null)" ] ||
			die "branch $topic has commits that queue has not: cherry-pick them to queue, or 'git -C build/linux branch -m $topic mine' keeps them"
	done
}

# as_mailed PATCH, as_committed TREE COMMIT: author and message, as git am takes them and as they are.
as_mailed() {
	local body
	body=$(mktemp)
	{ git mailinfo --encoding=UTF-8 "$body" /dev/null < "$1" | sed -nE 's/^(Author|Email|Subject): //p'; echo; cat "$body"; } |
		git stripspace
	rm "$body"
}
as_committed() { git -C "$1" log -1 --format='%an%n%ae%n%B' "$2" | git stripspace; }
