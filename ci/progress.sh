# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ci/verify
# What ci/verify shows while it works: a table that grows on a terminal, plain
# lines elsewhere.  One line is one patch; a cell comes when it is done.

progress_cells=$work/progress

progress_start() {
	local check
	rm -rf "$progress_cells"
	mkdir -p "$progress_cells"
	printf '%s patches, %s checks: %s\n' "$((to - from + 1))" "${#checks[@]}" \
		"$(for check in "${checks[@]}"; do echo "${check##*/[0-9][0-9]-}"; done | paste -sd' ')"
}

progress_mark() {
	local mark=$1 colour=$2
	if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
		printf '\033[%sm%s\033[0m' "$colour" "$mark"
	else
		printf '%s' "$mark"
	fi
}

progress_clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# The rest, from the mean of the rows that are done.
progress_left() {
	local done_rows=$(($1 - from)) spent=$(($(date +%s) - started))
	[ "$done_rows" -gt 0 ] || return 0
	printf ', about %s left' "$(progress_clock $((spent * (to - $1 + 1) / done_rows)))"
}

progress_row() {
	[ "$1" -gt 0 ] || { printf '  0     %s\n' "$2"; return; }
	printf '%3d/%-2d  %-58.58s %s%s\n' "$1" "$to" "$2" "$(progress_clock $(($(date +%s) - started)))" "$(progress_left "$1")"
}

progress_cell() {
	local n=$1 name=$2 rc=$3 out=$4 mark secs
	case $rc in
	0) mark=$(progress_mark ok 32) ;;
	77) return ;;
	1) mark=$(progress_mark FELL 31) ;;
	*) mark=$(progress_mark '??' 33) ;;
	esac
	secs=$(($(cat "$out/ms" 2> /dev/null || echo 0) / 1000))
	[ ! -e "$out/kept" ] || secs=kept
	printf '        %3d %-7s %s  %-44.44s %s\n' "$n" "$name" "$mark" "$(head -1 "$out/summary" 2> /dev/null)" "$secs${secs:+$([ "$secs" = kept ] || echo s)}"
}

progress_end() {
	local secs=$(($(date +%s) - $3))
	printf '%s in %s; report: %s\n' "$(if [ "$1" -gt 0 ]; then progress_mark "$1 fell" 31
		elif [ "$2" -gt 0 ]; then progress_mark "$2 could not be judged" 33
		else progress_mark "all proved" 32; fi)" "$(progress_clock "$secs")" "$report/index.html"
}
