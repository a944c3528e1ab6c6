# SPDX-License-Identifier: GPL-2.0
# Results of the runs in a report.log, one a line: "RUN: TEST<tab>pass|fail|skip|hang<tab>why".
# Nested KTAP keeps its leaves' names; the harness's "RUN global.x" lines are no results.
BEGIN { OFS = "\t" }
{ sub(/\r$/, "") }
/^@start / { run = $2; last = reason = running = ""; bad = 0; next }
/^@end / {
	verdict = "fail"
	if ($3 ~ /^timeout=/) {
		verdict = "hang"
		print run ": " (running != "" ? running : last == "" ? "(first test)" : "after " last), "hang", "time is up"
	} else if ($3 == "exit=0" || ($3 == "exit=1" && bad)) {
		verdict = "pass"
	} else if ($3 == "exit=4") {
		verdict = "skip"
	}
	print run ": (exit)", verdict, verdict == "skip" && reason != "" ? reason : $3
	run = ""
	next
}
run == "" { next }
# What is at work, as kselftest_harness.h says it.
/^# +RUN / { running = $3 }
/^1\.\.0 *# *SKIP/ { reason = $0; sub(/^1\.\.0 *# *SKIP */, "", reason); next }
match($0, /^[# ]*(not ok|ok) [0-9]+ ?/) {
	name = substr($0, RLENGTH + 1)
	verdict = ($0 ~ /^[# ]*not ok/) ? "fail" : "pass"
	why = ""
	if (match(name, / *# *(SKIP|TODO|XFAIL|XPASS).*/)) {
		why = substr(name, RSTART)
		sub(/^ *# */, "", why)
		name = substr(name, 1, RSTART - 1)
		# kselftest_harness.h calls a skip so, too, if the test is expected to fail.
		if (why ~ /^XPASS ./ && why !~ /^XPASS unknown/)
			sub(/^XPASS/, "SKIP", why)
		verdict = (why ~ /^SKIP/) ? "skip" : "pass"
		# It failed as a known bug makes it, or does so no longer.
		if (why ~ /^(XFAIL|XPASS)/)
			why = (why ~ /^XFAIL/) ? "fails, as expected" : "expected to fail"
		sub(/^(SKIP|TODO) */, "", why)
	}
	sub(/^- */, "", name)
	# ksft_test_result_skip() has the name behind the word SKIP.
	if (name == "" && verdict == "skip" && match(why, / \(.*\)$/)) {
		name = substr(why, 1, RSTART - 1)
		why = substr(why, RSTART + 2, RLENGTH - 3)
	}
	# pagemap_ioctl tells in the name how often threads met.
	sub(/ Extra pages [0-9].*/, "", name)
	gsub(/\t/, " ", name)
	if (verdict == "fail")
		bad = 1
	# The same name twice is told apart by its place among its like.
	key = run SUBSEP name
	n = ++count[key]
	print run ": " name (n > 1 ? " (" n ")" : ""), verdict, why
	last = name
	running = ""
}
