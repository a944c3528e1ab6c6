# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# KTAP of a test in shell: check(), and at the end ktap_end.
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
# No suite, for a reason.
ktap_skip() {
	rm -f "$ktap_said"
	echo "1..1"
	echo "ok 1 $1 # SKIP $2"
	exit 0
}
