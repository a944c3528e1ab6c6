# SPDX-License-Identifier: GPL-2.0
# Carry "file:line: text" messages of the tree before a patch to the lines that
# they have after it; what stood on a removed line is dropped.  (No FNR == NR: the diff may be empty.)
# usage: awk -f remap.awk <(git diff -U0 --no-renames BEFORE AFTER) MESSAGES
FILENAME == ARGV[1] && /^--- / { file = $2; sub(/^a\//, "", file); next }
FILENAME == ARGV[1] && /^@@ / {
	split($2, old, ","); split($3, new, ",")
	at = -old[1]; cut = (2 in old) ? old[2] : 1
	add = (2 in new) ? new[2] : 1
	n = ++hunks[file]
	from[file, n] = cut ? at : at + 1; gone[file, n] = cut; grown[file, n] = add
	delete old; delete new
	next
}
FILENAME == ARGV[1] { next }
{
	file = $0; sub(/:.*/, "", file)
	rest = substr($0, length(file) + 2)
	line = rest + 0
	if (rest !~ /^[0-9]+:/) { print; next }
	shift = 0
	for (i = 1; i <= hunks[file]; i++) {
		if (line < from[file, i])
			break
		if (line < from[file, i] + gone[file, i])
			next
		shift += grown[file, i] - gone[file, i]
	}
	sub(/^[0-9]+/, line + shift, rest)
	print file ":" rest
}
