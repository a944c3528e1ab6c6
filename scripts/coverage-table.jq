# SPDX-License-Identifier: GPL-2.0
# coverage.json for people, in 80 columns.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lead($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def cut($n): if length > $n then .[:$n - 3] + "..." else . end;
# Words to lines of @n columns.
def wrap($n): reduce (split(" ")[]) as $w ([""];
	if .[-1] == "" then .[-1] = $w
	elif (.[-1] | length) + ($w | length) < $n then .[-1] += " " + $w
	else . + [$w] end) | .[];

if $figures != "" then
	"  lines that can be reached        by upstream's tests   by these",
	(.files[] | "  " + (.file | pad(24)) + (.lines - .never | lead(5)) + (.upstream | lead(14)) + ("\(.percent_upstream)%" | lead(8)) +
		(.ours | lead(9)) + ("\(.percent_ours)%" | lead(8)))
else
("lines that tests reach, tree \(.tree[:12])",
 "", ("" | pad(23)) + "--------------- lines -------------- ----- branches ----",
 ("file" | pad(23)) + ("all" | lead(5)) + ("can" | lead(6)) + ("upstream" | lead(9)) + ("ours" | lead(6)) +
	("both" | lead(6)) + ("" | lead(5)) + ("all" | lead(5)) + ("upstream" | lead(9)) + ("ours" | lead(6)),
 (.files[] | (.file | pad(23)) + (.lines | lead(5)) + (.lines - .never | lead(6)) + (.upstream | lead(9)) + (.ours | lead(6)) +
	(.both | lead(6)) + ("" | lead(5)) + (.branches | lead(5)) + (.branches_upstream | lead(9)) + (.branches_ours | lead(6))),
 "", (.files[] | "\(.file): of what can be reached, upstream's reach \(.percent_upstream)%, ours \(.percent_ours)%")),
(if .unreached == [] then empty else "", "not reached by ours:" end),
([.unreached | to_entries[] | .value + {nr: .key}] | . as $u | .[] |
	("\(.file):\(.line) \(.text)" | cut(80)),
	# The reason once, after the last of the lines that it is for.
	(if $u[.nr + 1].why == .why and $u[.nr + 1].function == .function then empty
	 else "\(.function)(): \(.why // "NOBODY SAYS WHY")" | wrap(76) | "    \(.)" end)),
(.stale[] | "ci/unreached is stale: \(.function)(), \(.text)" | cut(80)),
(if .verdict == [] then empty else "", (.verdict[] | cut(80)) end)
end
