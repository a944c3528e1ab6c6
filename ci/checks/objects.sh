# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # V_* come from ci/verify
# What a patch is compiled into in the configurations that do not boot.

# The first error of a make log, with what the compiler shows of the place.
excerpt() {
	grep -m1 -A3 -E '(error|Error|undefined reference|ERROR: modpost|was dropped|cannot be turned off)' "$1" | cut -c1-160
}

# srcarch CONFIG: the folder of its architecture below arch/.
srcarch() {
	matrix_row "$1"
	case $cfg_arch in
	x86_64|i386) echo x86 ;;
	*) echo "$cfg_arch" ;;
	esac
}

# enabled CONFIG FOLDER: what CONFIG compiles in FOLDER and goes into below it, as its Makefile says.
enabled() {
	local arch bits=32
	arch=$(srcarch "$1")
	! grep -qx 'CONFIG_64BIT=y' "$build/o/$1/.config" || bits=64
	make -s -f - all-of-it <<-M | tr ' ' '\n' | sort -u
		include $build/o/$1/.config
		srctree := $V_SRC
		src := $V_SRC/$2
		obj := $2
		ARCH := $arch
		SRCARCH := $arch
		BITS := $bits
		# Only the top Makefile names it.
		ARCH_LIB := lib/
		include \$(firstword \$(wildcard $V_SRC/$2/Kbuild) $V_SRC/$2/Makefile)
		$([[ $2 != arch/* || $2 = arch/*/* ]] || grep -hE "^(core|libs|drivers)-[^=]*=.*$2/" "$V_SRC/$2/Makefile")
		objects := \$(obj-y) \$(obj-m) \$(lib-y) \$(patsubst $2/%,%,\$(core-y) \$(libs-y) \$(drivers-y))
		all-of-it: ; @echo \$(objects) \$(foreach o,\$(objects),\$(\$(o:.o=-y)) \$(\$(o:.o=-objs)))
	M
}

# home PATH: the folder above it whose Makefile decides about it.
home() {
	local dir
	dir=$(dirname "$1")
	until [ -e "$V_SRC/$dir/Makefile" ] || [ -e "$V_SRC/$dir/Kbuild" ]; do
		dir=$(dirname "$dir")
	done
	echo "$dir"
}

# reached CONFIG FOLDER: does CONFIG go into it?
reached() {
	local dir=$2 above list
	while [ "$dir" != . ]; do
		above=$(home "$dir")
		list=$(enabled "$1" "$above" 2> "$V_OUT/$1.unknown") || exit 1
		grep -qxF "${dir#"$above"/}/" <<< "$list" || return 1
		dir=$above
	done
}

# code PATTERN: the touched files that a kernel is made of.
code() { touched "$1" | grep -vE '^(Documentation|samples|scripts|tools|usr)/'; }

# includers HEADER DEPTH: sources that include it, those of mm and of the core first, and the headers that do.
includers() {
	local name where header
	case $1 in
	arch/*/include/*) name=${1##*include/} where=${1%%/include/*} ;;
	*include/*) name=${1##*include/} where=. ;;
	*) name=${1##*/} where=${1%/*} ;;
	esac
	git -C "$V_SRC" grep -lP "^\s*#\s*include *[<\"]([^>\"]*/)?\Q${name#uapi/}\E[>\"]" -- "$where" "${elsewhere[@]}" |
		awk '{ print /^mm\// ? 0 : /^kernel\// ? 1 : 2, $0 }' | sort -s -n | cut -d' ' -f2 > "$V_OUT/includers.$2"
	grep '\.c$' "$V_OUT/includers.$2" | head -5
	[ "$2" -eq 2 ] || grep '\.h$' "$V_OUT/includers.$2" | head -3 | while read -r header; do
		includers "$header" $(($2 + 1))
	done
}

# The sources that the patch can affect: the touched ones, those that name what its changed
# lines name, and, to file "wide", some that include a touched header.  A name that many use
# (vm_area_struct) tells nothing about who is affected.
sources() {
	local elsewhere=(':!Documentation' ':!samples' ':!scripts' ':!tools' ':!usr') header
	code '\.[cS]$'
	: > "$V_OUT/wide"
	code '\.h$' > "$V_OUT/headers" || return 0
	awk '/^diff --git /{ h = /\.h$/ && !/^diff --git a\/(Documentation|samples|scripts|tools|usr)\// } h && /^[-+][^-+]/' "$V_PATCH" |
		grep -oE '\b[A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]{4,}\b' | sort -u | head -100 > "$V_OUT/names"
	{ [ ! -s "$V_OUT/names" ] || git -C "$V_SRC" grep -owFf "$V_OUT/names" -- '*.c' "${elsewhere[@]}"; } | sort -u |
		awk -F: -v few=6 '{
			all[$2] = all[$2] $1 "\n"; n[$2]++
			if ($1 ~ /^(mm|ipc|fs|virt\/kvm)\/[^\/]*$|^fs\/(proc|hugetlbfs)\//) { near[$2] = near[$2] $1 "\n"; m[$2]++ }
		} END {
			for (name in n)
				if (n[name] <= few) printf "%s", all[name]
				else if (m[name] <= few) printf "%s", near[name]
		}'
	while read -r header; do
		includers "$header" 1 | head -5
		# Headers include headers, deeper than this looks: these see nearly all of include.
		[[ $header != *include/* ]] || printf '%s\n' mm/{memory,hugetlb,page_alloc}.c kernel/fork.c
	done < "$V_OUT/headers" | sort -u > "$V_OUT/wide"
}

# sources_in CONFIG: of "wide" each configuration has its part within a topic, and all at its end.
sources_in() {
	local at
	cat "$V_OUT/sources"
	if [ "$1" = messages ] || [ "$V_END" = y ]; then
		cat "$V_OUT/wide"
	else
		at=$(matrix_names objects | grep -nx "$1" | cut -d: -f1)
		sed -n "$((at % 4 + 1))~4p; /^arch\/$(srcarch "$1")\//p" "$V_OUT/wide"
	fi
}

# folders CONFIG: whole folders to make in it.  A Makefile or a Kconfig reaches
# all that it governs, and mm/ stands for what the top ones govern; what is in
# virt/kvm is compiled by the architecture.
folders() {
	local kvm dir
	kvm=arch/$(srcarch "$1")/kvm
	{
		sed -n "s,^virt/kvm/.*,$kvm,p" "$V_OUT/$1.sources"
		{ code '(^|/)(Makefile|Kbuild|Kconfig)[^/]*$' || true; } | while read -r file; do
			case $file in
			virt/kvm/*) echo "$kvm" ;;
			include/*|arch/*/include/*) echo mm ;;
			*) home "$file" ;;
			esac
		done | sed 's,^\.$,mm,'
	} | sort -u | while read -r dir; do
		reached "$1" "$dir" || continue
		echo "$dir/"
	done
}

# targets CONFIG: what to make in it for this patch.
targets() {
	local dir whole in=$V_OUT/$1.sources
	sources_in "$1" | sort -u > "$in"
	whole=$(folders "$1") || return 1
	printf '%s' "${whole:+$whole$'\n'}"
	sed '/^virt.kvm/d' "$in" | while read -r file; do home "$file"; done | sort -u | while read -r dir; do
		! grep -qxF "$dir/" <<< "$whole" || continue
		enabled "$1" "$dir" > "$V_OUT/$1.enabled" 2> "$V_OUT/$1.unknown" || exit 1
		sed -n "s,^$dir/\(.*\)[cS]\$,\1o,p" "$in" | sort -u | comm -12 "$V_OUT/$1.enabled" - > "$V_OUT/$1.here"
		[ ! -s "$V_OUT/$1.here" ] || ! reached "$1" "$dir" || sed "s,^,$dir/," "$V_OUT/$1.here"
	done
}

# A Makefile that cannot be asked: compiling nothing would look like success.
unknown() {
	echo "$1: cannot tell which objects it compiles:"
	head -3 "$V_OUT/$1.unknown"
	echo "$1" >> "$V_OUT/unjudged"
}

objects() {
	local name=$1 what=$V_OUT/$1.targets
	rm -f "$what"
	configure "$V_SRC" "$name" > "$V_OUT/$name.log" 2>&1 || { echo "$name" >> "$V_OUT/broken"; return; }
	targets "$name" > "$what" || { unknown "$name"; return; }
	# shellcheck disable=SC2046 # a list
	[ ! -s "$what" ] || kmake "$V_SRC" "$name" -k $(cat "$what") > "$V_OUT/$name.log" 2>&1 ||
		echo "$name" >> "$V_OUT/broken"
}

# What W=1 and sparse said of each object; found.tree is the tree whose lines that has, and
# found.made the targets whose messages hold there.
store=$build/o/messages/found

# unheard WHAT: of the targets in file WHAT, those of which nothing is known in the state before.
unheard() {
	if [ -e "$store.made" ] && [ "$(cat "$store.tree" 2> /dev/null)" = "$(git -C "$V_SRC" rev-parse "$V_BEFORE^{tree}")" ]; then
		comm -23 "$1" "$store.made"
	else
		cat "$1"
	fi
}

# carry TREE: the lines of what is kept become those of TREE.
carry() {
	local file from
	from=$(cat "$store.tree" 2> /dev/null)
	[ "$from" != "$1" ] || return 0
	# Killed in here, it is nobody's lines.
	rm -f "$store.tree" "$store.made"
	[ -n "$from" ] && git -C "$V_SRC" diff -U0 --no-renames "$from" "$1" > "$V_OUT/diff" 2> /dev/null || return 0
	find "$store" -type f -size +0 | while read -r file; do
		awk -f "$top/ci/remap.awk" "$V_OUT/diff" "$file" > "$V_OUT/carried" && cp "$V_OUT/carried" "$file"
	done
}

# hear COMMIT WHAT: W=1 and sparse, in one make, of the targets in file WHAT in COMMIT, which is
# checked out; 40-sparse judges its half.  An object that is not made anew keeps its messages.
hear() {
	local tree log made known=$V_OUT/known rc=0
	tree=$(git -C "$V_SRC" rev-parse "$1^{tree}")
	log=$V_OUT/messages.$tree.log made=$V_OUT/found.$tree
	mkdir -p "$store" "$made"
	: > "$log"
	# shellcheck disable=SC2046 # a list
	if [ -s "$2" ] && ! kmake "$V_SRC" messages -j2 -k W=1 C=1 CHECK="$top/ci/sparse" $(cat "$2") > "$log" 2>&1; then
		echo "W=1:"
		excerpt "$log"
		rc=1
	fi
	if grep -q 'not up to date' "$log"; then
		echo "make says: $(grep -m1 'not up to date' "$log")"
		return 1
	fi
	awk -v dir="$made" -v src="$V_SRC/" -f "$top/ci/messages.awk" "$log"
	# What did not compile was not asked by sparse, and is as it was.
	[ $rc -eq 0 ] || find "$made" -type f -printf '%f\n' | while read -r object; do
		[ -e "$build/o/messages/${object//%//}.o" ] || rm "$made/$object"
	done
	# What holds after the patch as before it: all that the patch cannot affect.
	{ [ "$1" = "$V_BEFORE" ] && [ "$(cat "$store.tree" 2> /dev/null)" != "$tree" ] || cat "$store.made"; } > "$known" 2> /dev/null
	carry "$tree"
	cp "$made"/* "$store/" 2> /dev/null || true
	[ $rc -ne 0 ] && [ "$1" = "$V_BEFORE" ] || cat "$2" >> "$known"
	sort -u "$known" > "$store.made"
	echo "$tree" > "$store.tree"
	return $rc
}

# said WHAT: the messages of the targets in file WHAT.
said() {
	sed 's,\.o$,,; s,/$,/*,; s,^arch/[a-z0-9]*/kvm/\*$,&\nvirt/kvm/*,; s,/,%,g' "$1" | while read -r name; do
		# shellcheck disable=SC2086 # a folder is a pattern
		(cd "$store" && cat $name 2> /dev/null)
	done | sort -u
}

# hear_before: of what the patch can affect, what is said in the state before.  Returns 1 if
# that does not build, 2 if the patch breaks the configuration.
hear_before() {
	local what=$V_OUT/messages.targets unheard=$V_OUT/unheard rc=0
	# Made by a run that was killed before it filed what they say: made anew, they say it again.
	[ ! -e "$store.tree" ] || find "$build/o/messages" -name '*.o' -newer "$store.tree" -delete
	configure "$V_SRC" messages || return 2
	targets messages | sort -u > "$what"
	[ "${PIPESTATUS[0]}" -eq 0 ] || { unknown messages; return 1; }
	unheard "$what" > "$unheard"
	if [ -s "$unheard" ]; then
		git -C "$V_SRC" checkout -q --detach "$V_BEFORE" || unjudged "cannot check out the state before"
		# What the patch adds has no state before.
		configure "$V_SRC" messages && targets messages | sort -u | comm -12 - "$unheard" > "$unheard.here" &&
			hear "$V_BEFORE" "$unheard.here" || rc=1
		git -C "$V_SRC" checkout -q --detach "$V_AFTER" && configure "$V_SRC" messages ||
			unjudged "cannot check out the patch again"
	fi
	said "$what" > "$V_OUT/said.before"
	return $rc
}

# proof: the id of what the results of these configurations depend on: trees, change, compilers, this text.
proof() {
	{
		git -C "$V_SRC" rev-parse "$V_BEFORE^{tree}" "$V_AFTER^{tree}"
		echo "$V_END"
		sed -n '/^diff --git /,/^-- $/p' "$V_PATCH"
		"$top/scripts/check-tools" --versions | grep -E 'gcc|clang|lld|sparse'
		find "$configs" "$top"/ci/{lib.sh,ccache,checks/lib.sh,checks/objects.sh,checks/30-build,checks/40-sparse,sparse,messages.awk,remap.awk} -type f | sort | xargs cat
	} | sha1sum | cut -c1-16
}

# late PROVED: has CI no time for what was not proved before?
late() { [ -n "${V_LATE:-}" ] && [ "$1" != y ]; }

# anew PROOF: is it of the random tenth that is proved again?
anew() { [ $((0x$(echo "$V_SEED $1" | sha1sum | cut -c1-6) % 10)) -eq 0 ]; }
