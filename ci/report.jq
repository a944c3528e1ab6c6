# SPDX-License-Identifier: GPL-2.0
# results.json to one page that needs no network.
def clock: "\(. / 60000 | floor):\(. / 1000 % 60 | floor | tostring | if length < 2 then "0" + . else . end)";
def mark: {pass: "ok", none: "&middot;", fail: "fell", unjudged: "?"}[.];
(.cells | map(.check) | unique) as $known |
(["apply", "style", "build", "sparse", "kdoc", "cocci", "boot", "test", "diff", "tools", "proves"] as $order |
  ($order | map(select(. as $c | $known | index($c)))) + ($known - $order)) as $checks |
(.cells | group_by(.n)) as $rows |
([$rows[] | map(.ms) | add] | max // 1) as $longest |
([.cells[] | select(.verdict == "fail")] | length) as $fell |
([.cells[] | select(.verdict == "unjudged" or (.summary // "" | contains("CI has no time for")))] | length) as $open |
"<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>\(if $fell > 0 then "\($fell) fell" elif $open > 0 then "\($open) open" else "all proved" end): the queue, patch by patch</title>
<style>
:root { color-scheme: light dark; --line: #8884; --ok: #2a7d3f; --bad: #c0281c; --open: #a96b00; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 76rem; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; } .sub { opacity: .7; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.s { white-space: normal; min-width: 16rem; } tr.t th { padding-top: 1rem; border-bottom: 2px solid var(--line); }
a { color: inherit; } .pass { color: var(--ok); } .fail { color: var(--bad); font-weight: bold; } .unjudged { color: var(--open); } .none { opacity: .45; }
.bar { display: inline-block; height: .7rem; background: #4a7fb5; vertical-align: middle; } .n { font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid var(--line); border-radius: 4px; font-size: 13px; }
summary { cursor: pointer; } details { margin: .3rem 0; }
</style>
<h1 class=\"\(if $fell > 0 then "fail" elif $open > 0 then "unjudged" else "pass" end)\">\(if $fell > 0 then "\($fell) \(if $fell == 1 then "cell" else "cells" end) fell" elif $open > 0 then "\($open) \(if $open == 1 then "cell" else "cells" end) could not be judged" else "All \(.cells | length) cells proved" end)</h1>
<p class=\"sub\">\(($rows | length) - 1) patches on \(.base | @html), \(.started | todate), \(.seconds * 1000 | clock) in all. Each patch is judged against the state before it.</p>
<div class=\"wide\"><table><thead><tr><th>#<th>patch\($checks | map("<th>" + .) | join(""))<th>time</thead><tbody>",
(foreach $rows[] as $row ({topic: null}; {topic: $row[0].topic, new: ($row[0].topic != .topic), row: $row};
  (if .new then "<tr class=\"t\"><th colspan=\"\(3 + ($checks | length))\">\(.topic | @html)" else empty end),
  (.row | (map({key: .check, value: .}) | from_entries) as $by | (map(.ms) | add) as $ms |
    "<tr><td class=\"n\">\(.[0].n)<td class=\"s\">\(.[0].subject | @html)" +
    ($checks | map($by[.] as $c | if $c == null then "<td>" else
      "<td class=\"\($c.verdict)\"><a href=\"#c\($c.n)-\($c.check)\" title=\"\($c.summary | @html)\">\($c.verdict | mark)</a>" end) | join("")) +
    "<td class=\"n\"><span class=\"bar\" style=\"width:\($ms * 60 / $longest | floor + 1)px\"></span> \($ms | clock)"))),
"</tbody></table></div><h2>Cells</h2>",
(.cells | sort_by([(if .verdict == "fail" then 0 elif .verdict == "unjudged" then 1 else 2 end), .n])[] |
  "<details id=\"c\(.n)-\(.check)\"\(if .verdict == "fail" then " open" else "" end)><summary><span class=\"\(.verdict)\">\(.verdict | mark)</span> \(.n) \(.check): \(.summary | @html) <span class=\"sub\">\(.ms | clock)\(if .kept then ", kept" else "" end)</span></summary>" +
  "<p><a href=\"run/\(.n)/\(.check)/log\">its log</a></p><pre>\(.log | @html)</pre></details>"),
# Of another queue it would say nothing about this one.
(.queue as $queue | $coverage[] | select(.queue == $queue) |
  "<h2>Lines that the tests reach</h2><div class=\"wide\"><table><thead><tr><th>file<th>lines<th>can be reached<th>by upstream's tests<th>by ours<th>by both<th>branches<th>upstream's<th>ours</thead>",
  (.files[] | "<tr><td>\(.file | @html)<td class=\"n\">\(.lines)<td class=\"n\">\(.lines - .never)<td class=\"n\">\(.upstream) (\(.percent_upstream)%)<td class=\"n\">\(.ours) (\(.percent_ours)%)<td class=\"n\">\(.both)<td class=\"n\">\(.branches)<td class=\"n\">\(.branches_upstream)<td class=\"n\">\(.branches_ours)"),
  "</table></div>" + (if .unreached then "<details><summary>\(.unreached | length) lines that ours do not reach, and why</summary><pre>\([.unreached[] | "\(.file):\(.line) \(.text)\n    \(.function)(): \(.why // "nobody says why")"] | join("\n") | @html)</pre></details>" else "<p>make coverage lists the lines that ours do not reach, and why.</p>" end)),
(if $mutants == "" then empty else
  "<h2>Defects that the tests were given</h2><p>One line each, in the kernel at the end of the queue; ok is one that a test has seen.</p><pre>\($mutants | @html)</pre>" end),
(if $plot == "" then empty else
  "<h2>Instructions per operation</h2><p>After divided by before each topic, in QEMU with -icount.</p><details><summary>The table (scripts/bench --show)</summary><pre>\($bench | @html)</pre></details><details><summary>The plot</summary><div class=\"wide\">\($plot)</div></details>" end),
(if $pipeline == "" then empty else
  "<h2>Where the time of make ci goes</h2><p>Seconds, when make bench-ci ran last.</p><pre>\($pipeline | @html)</pre>" end),
"<p class=\"sub\">\($full | @html)</p>",
"<script>addEventListener('hashchange', () => { const d = document.querySelector(location.hash); if (d) d.open = true; });</script>"
