# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of ci/verify
# What ci/verify shows while it works: on a terminal a table, a row a patch and
# a column a check; elsewhere plain lines, one when a cell is done.

progress_cells=$work/progress
progress_live=
[ ! -t 1 ] || progress_live=y

progress_start() {
	local check names=() columns
	rm -rf "$progress_cells"
	mkdir -p "$progress_cells"
	echo 0 > "$progress_cells/up"
	for check in "${checks[@]}"; do names+=("${check##*/[0-9][0-9]-}"); done
	printf '%s patches, %s checks: %s\n' "$((to - from + 1))" "${#checks[@]}" "${names[*]}"
	[ -n "$progress_live" ] || return 0
	columns=$(stty size 2> /dev/null < /dev/tty | cut -d' ' -f2)
	[ "${columns:-0}" -gt 0 ] || columns=80
	# What the checks leave for the subject; lines that wrap cannot be drawn over.
	for progress_cell_width in 6 5; do
		progress_width=$((columns - 6 - progress_cell_width * ${#names[@]}))
		[ "$progress_width" -lt 19 ] || break
	done
	[ "$progress_width" -ge 19 ] || { progress_live=; return 0; }
	[ "$progress_width" -le 72 ] || progress_width=72
	printf '%*s ' "$((progress_width + 4))" ''
	for check in "${names[@]}"; do
		printf '%-*.*s ' "$((progress_cell_width - 1))" "$((progress_cell_width - 1))" "$check"
	done
	echo
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

# The rest, from the mean of the rows that are done; the state before is no measure.
progress_left() {
	local done_rows=$(($1 - from)) spent first
	first=$(stat -c %Y "$progress_cells/first" 2> /dev/null || date +%s)
	spent=$(($(date +%s) - first))
	[ "$done_rows" -gt 0 ] || return 0
	printf ', about %s left' "$(progress_clock $((spent * (to - $1 + 1) / done_rows)))"
}

# One row of the table.  The marks are padded here: printf counts colours as width.
progress_line() {
	local n=$1 check mark colour
	read -r < "$progress_cells/$n" || true
	printf '\r\033[K%3d %-*.*s ' "$n" "$progress_width" "$progress_width" "$REPLY"
	for check in "${checks[@]}"; do
		mark=' ' colour=0
		case $(cat "$progress_cells/$n.${check##*/[0-9][0-9]-}" 2> /dev/null) in
		run) mark=.. ;;
		0) mark=ok colour=32 ;;
		1) mark=FELL colour=31 ;;
		77) mark=- ;;
		?*) mark='??' colour=33 ;;
		esac
		progress_mark "$(printf '%-*s' "$progress_cell_width" "$mark")" "$colour"
	done
}

# The last row and the two before, whose guests may still run, are live.
progress_draw() {
	(
		flock 8
		up=$(cat "$progress_cells/up")
		[ "$up" -eq 0 ] || printf '\033[%dA' "$up"
		rows=$(find "$progress_cells" -regex '.*/[0-9]+' -printf '%f\n' | sort -n | tail -3)
		for n in $rows; do
			progress_line "$n"
			echo
		done
		# The time stands behind the last row alone.
		printf '\r\033[K%s' "$(progress_clock $(($(date +%s) - started)))$(progress_left "$n")"
		wc -w <<< "$rows" > "$progress_cells/up"
	) 8> "$progress_cells/lock"
}

# What is printed between leaves the table; it goes on below.
progress_break() {
	[ -z "$progress_live" ] || { printf '\n'; echo 0 > "$progress_cells/up"; }
}

progress_row() {
	[ "$1" -ne "$from" ] || : > "$progress_cells/first"
	if [ -n "$progress_live" ]; then
		# Of three live rows the first is done: what was drawn of it stays.
		[ "$(cat "$progress_cells/up")" -lt 3 ] || { progress_draw; echo 2 > "$progress_cells/up"; }
		echo "$2" > "$progress_cells/$1"
		progress_draw
	elif [ "$1" -eq 0 ]; then
		printf '  0     %s\n' "$2"
	else
		printf '%3d/%-2d  %-58.58s %s%s\n' "$1" "$to" "$2" "$(progress_clock $(($(date +%s) - started)))" "$(progress_left "$1")"
	fi
}

# progress_run N CHECK: it has begun.
progress_run() {
	[ -n "$progress_live" ] || return 0
	echo run > "$progress_cells/$1.$2"
	progress_draw
}

progress_cell() {
	local n=$1 name=$2 rc=$3 out=$4 mark secs
	if [ -n "$progress_live" ]; then
		echo "$rc" > "$progress_cells/$n.$name"
		progress_draw
		return
	fi
	case $rc in
	0) mark=ok ;;
	77) return ;;
	1) mark=FELL ;;
	*) mark='??' ;;
	esac
	secs=$(($(cat "$out/ms" 2> /dev/null || echo 0) / 1000))s
	[ ! -e "$out/kept" ] || secs=kept
	printf '        %3d %-7s %s  %-44.44s %s\n' "$n" "$name" "$mark" "$(head -1 "$out/summary" 2> /dev/null)" "$secs"
}

progress_end() {
	local secs=$(($(date +%s) - $3))
	progress_break
	printf '%s in %s; report: %s\n' "$(if [ "$1" -gt 0 ]; then progress_mark "$1 fell" 31
		elif [ "$2" -gt 0 ]; then progress_mark "$2 could not be judged" 33
		elif [ -e "$work/no-time" ]; then progress_mark "no patch fell, not all were proved" 33
		else progress_mark "all proved" 32; fi)" "$(progress_clock "$secs")" "$report/index.html"
	jq -r '[.cells[] | select(.kept | not)] | select(length > 0) | group_by(.check) |
		map({check: .[0].check, s: (map(.ms) | add / 1000 | round)}) | sort_by(-.s) |
		"the time went to (guests run beside builds): " + (map("\(.check) \(.s)s") | join(", "))' "$report/results.json"
}
