#!/bin/bash
# make fuzz: builds every fuzzer with clang's libFuzzer and the sanitizers and runs each for some seconds.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}/fuzz
seconds=${2:-60}
command -v clang >/dev/null || {
	echo "make fuzz needs clang (and its runtime, libclang-rt-14-dev)" >&2
	exit 1
}
flags="-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
make CC=clang BUILD="$build" CFLAGS="$flags" "$build/libmuster.a"
libraries="$(pkg-config --libs libcurl libcrypto jansson libgit2 expat) -llmdb -lm"
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2086 # lists of words
	clang -std=c11 -D_GNU_SOURCE -I. ${flags/fuzzer-no-link/fuzzer} -o "$build/$name" "$source" "$build/libmuster.a" \
		$libraries
	mkdir -p "$build/corpus/$name"
	echo "== $name, $seconds s"
	"$build/$name" -max_total_time="$seconds" -print_final_stats=1 "$build/corpus/$name"
done
