# SPDX-License-Identifier: GPL-2.0
# The lines of scripts/coverage (S: source, C: counts, U: reasons) to coverage.json.

# Two vectors of counts, branch by branch.
def plus($a; $b): [range([$a, $b | length] | max) | ($a[.] // 0) + ($b[.] // 0)];
def nonzero: map(select(. > 0)) | length;
def percent($n; $of): if $of == 0 then 100 else ($n * 1000 / $of | floor) / 10 end;

[inputs | split("\t")] as $all |
([$all[] | select(.[0] == "U") | {function: .[1], text: .[2], why: .[3]}]) as $reasons |
# One line may be in several functions, where it is inlined: then its branches follow each other.
(reduce ($all[] | select(.[0] == "C")) as $c ({};
	.["\($c[2]):\($c[3])"][$c[1]] |= {
		count: ((.count // 0) + ($c[4] | tonumber)),
		branches: ((.branches // []) + ($c[5] // "" | split(" ") | map(tonumber)))
	})) as $counts |
[$all[] | select(.[0] == "S") | $counts["\(.[1]):\(.[2])"] as $c | select($c) | {
	file: .[1], line: (.[2] | tonumber), function: .[3], text: (.[4:] | join(" ")),
	upstream: $c.upstream.count, ours: $c.ours.count,
	branches: ([$c.upstream.branches, $c.ours.branches | length] | max),
	branches_upstream: ($c.upstream.branches | nonzero),
	branches_ours: ($c.ours.branches | nonzero)
}] |
# Lines that are not reached one after the other are explained together: by the text of one of
# them, or of the last line before that is reached, which is the condition that leads there.
[foreach .[] as $l ({function: null, run: 0, led: ""};
	if $l.function != .function then .function = $l.function | .run += 1 | .led = "" else . end |
	if $l.ours > 0 then .run += 1 | .led = $l.text else . end;
	$l + {run, led})] |
(group_by(.run) | map({key: (.[0].run | tostring), value: ([.[0].led] + map(.text))}) | from_entries) as $runs |
def explains($l): .function == $l.function and
	(.text as $t | $t == "*" or any($runs[$l.run | tostring][]; contains($t)));
map(. as $l | .why = if .ours > 0 then null else [$reasons[] | select(explains($l))][0].why end) as $lines |
[$lines[] | select(.ours == 0)] as $unreached |
[$reasons[] | . as $r | select(any($unreached[]; . as $l | $r | explains($l)) | not)] as $stale |
($lines | group_by(.file) | map({
	file: .[0].file, lines: length,
	never: map(select(.why // "" | startswith("never: "))) | length,
	upstream: map(select(.upstream > 0)) | length,
	ours: map(select(.ours > 0)) | length,
	both: map(select(.upstream > 0 and .ours > 0)) | length,
	branches: map(.branches) | add, branches_upstream: map(.branches_upstream) | add,
	branches_ours: map(.branches_ours) | add
} | .percent_upstream = percent(.upstream; .lines - .never) | .percent_ours = percent(.ours; .lines - .never))) as $files |
{
	tree: $tree, queue: $queue, files: $files, stale: $stale,
	unreached: [$unreached[] | {file, line, function, text, upstream, why}],
	verdict: [
		($unreached[] | select(.upstream > 0) |
			"\(.file):\(.line) is reached by upstream's tests and not by ours"),
		($unreached[] | select(.why == null) |
			"\(.file):\(.line) is not reached, and ci/unreached does not say why"),
		($files[] | select(.file == "mm/userfaultfd.c" and .percent_ours < 95) |
			"\(.file): \(.percent_ours)% of what can be reached, 95% is the goal")
	]
}
