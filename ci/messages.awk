# SPDX-License-Identifier: GPL-2.0
# Split the output of `make -Otarget W=1 C=1` into one file of messages per
# object, DIR/<object with / as %>.  An object that was not compiled keeps its file.
# -v dir=DIR -v src=SOURCE-TREE/
function path(p) {
	sub("^" src, "", p)
	while (sub(/[^\/.][^\/]*\/\.\.\//, "", p))
		;
	return p
}
/^  (CC|CHECK|AS|CPP|LD|HOSTCC|UPD|GEN|CALL|SYNC|DESCEND|INSTALL|AR|OBJCOPY|EXPORTS)( \[M\])? +/ {
	obj = ""
	if ($1 == "CC" || $1 == "CHECK") {
		obj = path($NF)
		sub(/\.[co]$/, "", obj)
		gsub("/", "%", obj)
		out = dir "/" obj
		if (!(out in seen)) {
			seen[out] = 1
			printf "" > out
		}
	}
	next
}
obj != "" && /^[^ ]+:[0-9]+(:[0-9]+)?: (warning|error|fatal error): / {
	p = $1
	sub(/:.*/, "", p)
	rest = substr($0, index($0, ":") + 1)
	# The column moves with nothing that matters.
	if (match(rest, /^[0-9]+:[0-9]+:/))
		sub(/:[0-9]+:/, ":", rest)
	print path(p) ":" rest > out
}
