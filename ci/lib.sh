# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this project share.  Source it; it changes no directory.

top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
build=$top/build
# shellcheck disable=SC2034 # for those who source it
linux=$build/linux
configs=$top/ci/configs

export LC_ALL=C TZ=UTC
# The modules are Debian's, and so must python3 be.  A shim of pyenv in front of it, besides
# lacking them, takes longer than the kernel-doc that W=1 calls for each file.
if [ "$(command -v python3)" != /usr/bin/python3 ] && [ -x /usr/bin/python3 ]; then
	mkdir -p "$build/bin"
	ln -sfn /usr/bin/python3 "$build/bin/python3"
	PATH=$build/bin:$PATH
fi
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ccache}
export CCACHE_BASEDIR=$build CCACHE_IGNOREOPTIONS='-fmacro-prefix-map=*'
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
# Objects must not differ by who built them and when.
export KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=ci KBUILD_BUILD_HOST=ci
# The user's own settings must not change what is written.
git_settings=(advice.detachedHead=false gc.auto=0 commit.gpgSign=false am.threeWay=false diff.noprefix=false
	diff.mnemonicPrefix=false format.signOff=false core.autocrlf=false)
export GIT_CONFIG_COUNT=${#git_settings[@]}
for i in "${!git_settings[@]}"; do
	export "GIT_CONFIG_KEY_$i=${git_settings[i]%%=*}" "GIT_CONFIG_VALUE_$i=${git_settings[i]#*=}"
done

# die MESSAGE: could not be judged.
die() {
	echo "$(basename "$0"): $*" >&2
	exit 2
}

# matrix_row NAME: sets cfg_arch, cfg_cc, cfg_use, cfg_fragments.
matrix_row() {
	# shellcheck disable=SC2034 # for the callers
	read -r _ cfg_arch cfg_cc cfg_use cfg_fragments < <(
		awk -v n="$1" '$1 == n' "$configs/matrix") ||
		die "ci/configs/matrix has no configuration '$1'"
}

# matrix_names [USE]: the configurations, or those of one use.
matrix_names() {
	awk -v use="${1:-}" '!/^#/ && NF && (!use || $4 == use) { print $1 }' "$configs/matrix"
}

# has_history TREE: can it tell whether a commit is there?
has_history() {
	[ "$(git -C "$1" rev-parse --is-shallow-repository)" = false ] &&
		git -C "$1" describe --tags --match 'v[0-9]*' "$V_BASE" > /dev/null 2>&1
}

# touches TREE PATCH: the paths.  In the tree: below the top of another, git leaves out what is elsewhere there.
touches() { { git -C "$1" apply --numstat "$2" 2> /dev/null | cut -f3; sed -n 's/^rename from //p' "$2"; } | sort -u; }

# wants CONFIG: is it one of those that ci/verify --configs named, or were none?
wants() { [ -z "${V_CONFIGS:-}" ] || [[ " $V_CONFIGS " == *" $1 "* ]]; }

# kmake SRC CONFIG ARGS...: make in the kernel tree SRC with the compiler of CONFIG.
kmake() {
	local src=$1 name=$2 arch cc cross
	shift 2
	matrix_row "$name"
	arch=$cfg_arch cc=$cfg_cc
	set -- "ARCH=$arch" "O=$build/o/$name" --no-print-directory -Otarget "$@"
	case $cc in
	clang-*)
		set -- "LLVM=-${cc#clang-}" "CC=$top/ci/ccache $cc" "HOSTCC=ccache gcc" "$@" ;;
	*)
		cross=${cc%gcc}
		set -- ${cross:+CROSS_COMPILE=$cross} "CC=$top/ci/ccache $cc" "HOSTCC=ccache gcc" "$@" ;;
	esac
	make -C "$src" "$@"
}

# configure SRC CONFIG: .config from its fragments; fails if a symbol is dropped.
configure() {
	local src=$1 name=$2 o=$build/o/$2 want frag line sym rc=0
	mkdir -p "$o"
	want=$o/wanted.config
	matrix_row "$name"
	for frag in $cfg_fragments; do
		cat "$configs/$frag.config"
	done | awk -F= '/^CONFIG_/ { v[$1] = $0; if (!s[$1]++) o[n++] = $1 }
		END { for (i = 0; i < n; i++) print v[o[i]] }' > "$want.new"
	git -C "$src" ls-files -s -- '*Kconfig*' | git hash-object --stdin | sed 's/^/# made for Kconfig /' >> "$want.new"
	# An unchanged configuration keeps its time stamps, and so its objects; it was found right when it was made.
	if [ -s "$o/.config" ] && cmp -s "$want.new" "$want"; then
		rm "$want.new"
		return 0
	fi
	# .config is not what it says any more, whatever comes of this.
	rm -f "$want"
	KCONFIG_ALLCONFIG=$want.new kmake "$src" "$name" -s allnoconfig > "$o/configure.log" 2>&1 ||
		{ tail -5 "$o/configure.log" >&2; return 1; }
	while read -r line; do
		sym=${line%%=*}
		[[ $sym == CONFIG_* ]] || continue
		if [ "${line#*=}" = n ]; then
			! grep -q "^$sym=" "$o/.config" || { echo "$name: $sym cannot be turned off"; rc=1; }
		else
			grep -qxF "$line" "$o/.config" || { echo "$name: $line was dropped"; rc=1; }
		fi
	done < "$want.new" >&2
	[ $rc -ne 0 ] || mv "$want.new" "$want"
	return $rc
}
