#!/bin/sh
# Installs the Debian packages named as arguments that are missing. With --missing first, installs nothing: fails when
# something that the build itself needs is not there, and says how to get it.
set -eu

installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

missing_of() {
	for package in "$@"; do
		case $package in
		# A tool counts wherever it came from.
		git | jq | curl | python3 | perl | openssl | clang-format | clang-tidy | shellcheck | chromium)
			command -v "$package" >/dev/null 2>&1 && continue
			;;
		chromium-driver) command -v chromedriver >/dev/null 2>&1 && continue ;;
		python3-jsonschema) python3 -c 'import jsonschema' >/dev/null 2>&1 && continue ;;
		esac
		installed "$package" || printf '%s ' "$package"
	done
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "make deps installs Debian packages, and this is no Debian. Install yourself: $*" >&2
	exit 1
fi

if [ "$1" = --missing ]; then
	shift
	libraries=
	for package in "$@"; do
		case $package in
		*-dev | pkg-config) libraries="$libraries $package" ;;
		esac
	done
	# shellcheck disable=SC2086 # a list of words
	missing=$(missing_of $libraries)
	if [ -n "$missing" ]; then
		echo "Missing: ${missing}- run: make deps" >&2
		exit 1
	fi
	exit 0
fi

missing=$(missing_of "$@")
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root=sudo
else
	echo "These packages are missing, and you are neither root nor is there sudo. As root, run:" >&2
	echo "  apt-get install $missing" >&2
	exit 1
fi
echo "Installing: $missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # lists of words
{
	$as_root apt-get update -q >/dev/null || true
	$as_root apt-get install -y -q --no-install-recommends $missing >/dev/null
}
