# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# KTAP of a test in shell: check(), and at the end ktap_end.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
ktap_n=0 ktap_bad=0
ktap_said=$(mktemp)
echo "KTAP version 1"

# check NAME COMMAND...: ok if COMMAND succeeds, else what it said, and the end of the file $more.
check() {
	local name=$1
	shift
	ktap_n=$((ktap_n + 1))
	if "$@" > "$ktap_said" 2>&1; then
		echo "ok $ktap_n $name"
	else
		echo "not ok $ktap_n $name"
		tail -n 20 -q "$ktap_said" ${more:+"$more"} 2> /dev/null | sed 's/^/# /'
		ktap_bad=1
	fi
}
ktap_end() {
	rm -f "$ktap_said"
	echo "1..$ktap_n"
	exit $ktap_bad
}
# queue_guest NAME PROGRAM...: $tree has the kernel of the queue's end, $out/files its modules and PROGRAMs.
queue_guest() {
	local name=$1
	shift
	tree=$build/verify/trees/$(git -C "$linux" rev-parse 'queue^{tree}')
	out=$build/tests/$name
	[ -s "$tree/image/bzImage" ] && [ -x "$tree/programs/$1" ] ||
		ktap_skip "$name" "the end of the queue was not built here yet; run make ci first"
	rm -rf "$out"
	mkdir -p "$out/files"
	cp "$tree"/image/*.ko "${@/#/$tree/programs/}" "$out/files/"
}
# No suite, for a reason.
ktap_skip() {
	rm -f "$ktap_said"
	echo "1..1"
	echo "ok 1 $1 # SKIP $2"
	exit 0
}
