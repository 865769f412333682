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
# Keys and signatures are too structured to be guessed: those that ssh-keygen made are where fuzz_keys begins. The first
# byte says how they are read.
seed_keys() {
	local count i
	count=$(jq '.Keys | length' tests/vectors/sshsig.json)
	for ((i = 0; i < count; i++)); do
		jq -j --argjson i "$i" '"d" + .Keys[$i].Public' tests/vectors/sshsig.json >"$1/public$i"
		jq -j --argjson i "$i" '"d" + .Keys[$i].Pem' tests/vectors/sshsig.json >"$1/pem$i"
		jq -j --argjson i "$i" '"g" + .Keys[$i].Signature' tests/vectors/sshsig.json >"$1/armor$i"
		{
			printf e
			jq -r --argjson i "$i" '.Keys[$i].Public | split(" ")[1]' tests/vectors/sshsig.json | base64 -d
		} >"$1/wire$i"
		{
			printf f
			jq -r --argjson i "$i" '.Keys[$i].Signature' tests/vectors/sshsig.json | grep -v -- '-----' | base64 -d
		} >"$1/bytes$i"
	done
}
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2086 # lists of words
	clang -std=c11 -D_GNU_SOURCE -I. ${flags/fuzzer-no-link/fuzzer} -o "$build/$name" "$source" "$build/libmuster.a" \
		$libraries
	mkdir -p "$build/corpus/$name"
	[ "$name" != fuzz_keys ] || seed_keys "$build/corpus/$name"
	echo "== $name, $seconds s"
	"$build/$name" -max_total_time="$seconds" -print_final_stats=1 "$build/corpus/$name"
done
