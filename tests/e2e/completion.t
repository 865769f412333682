#!/bin/bash
# Completion of command lines: the scripts in the shells themselves.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack detection <<'JSON'
{ "Targets": { "Accounts": ["*"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic" }, "Rule": { "Type": "AWS::SNS::Topic" } } }
JSON
echo '{}' >"$specs/plan with space.json"
# The one that is tested, whatever else is installed.
mkdir "$work/bin"
ln -s "$muster" "$work/bin/muster"
PATH=$work/bin:$PATH

for shell in bash zsh fish; do
	run "$muster" completion "$shell"
	is "there is a script for $shell" "$status$err" 0
	cp "$work/out" "$work/script.$shell"
done
run "$muster" completion tcsh
is "there is none for others" "$status" 1
like "... and which there are is said" "$err" 'name bash, zsh or fish'
run "$muster" -C "$work" completion address ""
is "outside of a spec directory there are no addresses, and no word of it" "$status$out$err" 0
echo '{ "Accounts": [ {' >"$specs/broken"
cp "$specs/accounts.json" "$work/roster" && cp "$specs/broken" "$specs/accounts.json"
run "$muster" -C "$specs" completion address s
is "nor in one that is being edited" "$status$out$err" 0
cp "$work/roster" "$specs/accounts.json" && rm "$specs/broken"
run "$muster" -C "$specs" completion address app/eu-west-1/../../accounts
is "a stack is looked for among the stacks" "$status$out$err" 0
is "completing makes no state" "$(ls -A "$specs")" "$(printf '%s\n' accounts.json muster.json 'plan with space.json' stacks)"

# The line that is typed, then what may come. What one shell adds to it (a blank, the name before "=") is taken off.
cases="$work/cases"
cat >"$cases" <<'CASES'
muster sta|state
muster state s|show
muster state m|mv
muster plan --form|--format
muster plan --no|--no-refresh
muster plan --format ma|markdown
muster plan --format=ma|markdown
muster apply --par|--parallelism --parameter
muster state show --a|--at
muster plan --only s|security/
muster plan --only=w|web/
muster plan --only security/eu-west-1/|security/eu-west-1/detection/
muster state show app/eu-west-1/detection/T|app/eu-west-1/detection/Topic
muster state mv app/eu-west-1/detection/R|app/eu-west-1/detection/Rule
muster types AWS::SNS::TopicP|AWS::SNS::TopicPolicy
muster init --home-region us-west-|us-west-1 us-west-2
muster show acc|accounts.json
muster completion f|fish
muster --ver|--version
muster log --limit |
CASES

# shellcheck disable=SC2016 # what the tested shells are to expand
{
	cat <<'SCRIPT'
. "$1"
cd "$2" || exit
while IFS='|' read -r line wanted; do
	COMP_LINE=$line COMP_POINT=${#line}
	# As readline breaks words.
	mapfile -t COMP_WORDS < <(sed -E 's/(=|:+)/\n\1\n/g; s/ /\n/g' <<<"$line")
	[[ $line == *[=:] ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_muster
	before=${line##*[ =]}
	before=${before%"${before##*:}"}
	echo "$line|$(printf '%s\n' "${COMPREPLY[@]/#/$before}" | sort | paste -sd' ')"
done
SCRIPT
} >"$work/complete.bash"
got=$(bash --norc "$work/complete.bash" "$work/script.bash" "$specs" <"$cases" 2>&1)
is "bash completes $(wc -l <"$cases") command lines" "$got" "$(<"$cases")"
got=$(printf '%s\n' "muster -C $specs plan --only s" 'muster show plan' | sed 's/$/|/' |
	(cd "$work" && bash --norc "$work/complete.bash" "$work/script.bash" "$specs") 2>&1)
like "... also in the directory of -C" "$got" 'plan --only s\|security/$'
like "... and files with blanks in their names" "$got" '\|plan with space.json$'
is "every command can be completed in bash" "$(bash --norc "$work/complete.bash" "$work/script.bash" "$specs" <<<"muster |" |
	cut -d'|' -f2 | tr ' ' '\n' | grep -cv '^$')" \
	"$("$muster" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' | sort -u | grep -cv '^$')"

if command -v fish >/dev/null; then
	cat >"$work/complete.fish" <<'SCRIPT'
source $argv[1]
cd $argv[2]
while read -d '|' -l line wanted
	set -l all (complete -C "$line" | string replace -r '\t.*' '' | string replace -r '^--[a-z-]*=' '' | sort)
	echo "$line|$all"
end
SCRIPT
	got=$(HOME=$work fish --no-config "$work/complete.fish" "$work/script.fish" "$specs" <"$cases" 2>&1)
	is "fish completes them" "$got" "$(<"$cases")"
else
	pass "fish completes them # SKIP fish is not installed"
fi

if command -v zsh >/dev/null; then
	cat >"$work/complete.zsh" <<'SCRIPT'
# Types each line into a shell, and has it completed; prints what the line became.
zmodload zsh/zpty
out=$1.out
: >$out
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "cd ${(q)2}; PS1=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; show() { zle complete-word; print -r -- \"\$BUFFER\" >>$out; BUFFER= }; zle -N show; bindkey '^X' show; print ready >>$out"
for i in {1..200}; do [[ -s $out ]] && break; sleep 0.1; done
n=1
while IFS='|' read -r line wanted; do
	zpty -w -n shell "$line"$'\x18'
	(( n++ ))
	for i in {1..200}; do (( $(wc -l <$out) >= n )) && break; sleep 0.05; done
done
zpty -d shell
tail -n +2 $out
SCRIPT
	mkdir "$work/functions"
	cp "$work/script.zsh" "$work/functions/_muster"
	# What is not one word is not put in: those lines are left out here.
	grep -vE '\|$|\|.* ' "$cases" >"$work/zsh.cases"
	got=$(timeout 120 zsh -f "$work/complete.zsh" "$work/functions" "$specs" <"$work/zsh.cases" 2>&1 | sed 's/[ =]*$//')
	is "zsh completes them" "$got" "$(sed -E 's/(.*[ =])[^ =|]*\|(.*)/\1\2/' "$work/zsh.cases")"
else
	pass "zsh completes them # SKIP zsh is not installed"
fi
done_testing
