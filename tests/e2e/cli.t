#!/bin/bash
# The command line itself: wrong directories, help, init, types, and what is printed to be pasted.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/small.sh"
mkdir "$work/empty" && cd "$work/empty" || exit 1

# -- Outside of a spec directory
for command in plan apply validate access "state list" "state show x"; do
	# shellcheck disable=SC2086 # two words are two words
	run "$muster" $command
	is "$command without specs fails" "$status" 1
	is "... and says what to do" "$err" \
		"error: $work/empty holds no muster.json; make one with muster init, or name the directory with -C"
done
run "$muster" -C nowhere plan
like "a directory that is not there is named" "$err" '^error: nowhere .-C.: there is no such directory$'
is "... and nothing is made" "$(find . | wc -l)" 1

# -- Help
run "$muster" help
is "help is a command" "$status" 0
is "... the same as --help" "$out" "$("$muster" --help)"
run "$muster" help state list
is "help of a command" "$out" "$("$muster" state list --help)"
like "... starts with a capital" "$out" '^List the recorded resources\.$'
run "$muster" state --help
is "help of what several commands begin with" "$status" 0
like "... lists them" "$out" '^  state show '
run "$muster" state
is "half a command fails" "$status" 1
like "... and lists them too" "$err" '^  state list '
run "$muster" -C
like "-C without a directory" "$err" '^error: -C needs a directory'
run "$muster" state show
like "a missing argument is named" "$err" '^error: muster state show needs ADDRESS; muster state show --help tells more$'
for width in 40 60 80; do
	for command in "" plan apply init access "state show"; do
		# shellcheck disable=SC2086
		out=$(COLUMNS=$width "$muster" $command --help)
		# Usage lines and names of options are not broken.
		is "help of '$command' fits $width columns" \
			"$(grep -vE '^(Usage|  --)' <<<"$out" | awk -v w="$width" 'length > w' | wc -l)" 0
	done
done
like "help gives the default region" "$("$muster" init --help)" 'us-east-1'

# -- init
run "$muster" -C fleet init --home-region eu-west-9
is "a region that there is not" "$status" 1
like "... is refused" "$err" 'eu-west-9.*did you mean "eu-west-[123]"'
run "$muster" -C fleet init --home-region ""
is "no region at all is refused" "$status" 1
is "... and nothing is made by either" "$(find . | wc -l)" 1
run "$muster" -C "my fleet" init --home-region eu-west-1
is "specs are scaffolded" "$status" 0
like "... the next command can be pasted" "$out" "muster -C 'my fleet' validate\$"
like "... the state is not for git" "$(<"my fleet/.gitignore")" '^/\.muster/$'
run "$muster" -C "my fleet" validate
is "... and are valid" "$status" 0
run "$muster" -C "my fleet" init
is "a second time changes nothing" "$status" 0
like "... and tells the region that counts" "$out" '^HomeRegion is eu-west-1$'
run "$muster" -C "my fleet" init --home-region us-east-1
is "another region is not dropped in silence" "$status" 1
like "... but refused" "$err" 'my fleet/muster\.json is there already, with HomeRegion eu-west-1'
run "$muster" -C fleet init
like "the default region is told" "$out" '^HomeRegion is us-east-1$'
run "$muster" -Cfleet state list
is "-C and its directory may be one word" "$status" 0
like "no state yet is said" "$err" 'there is no state in fleet/\.muster yet'

cp -R "$root/specs/baseline" copied
run "$muster" -C copied init
is "a copy of the baseline gets no example beside its stacks" "$([ -e copied/stacks/first.json ] || echo none)" none

# -- types
run "$muster" types
like "types are listed with what they are" "$out" '^  AWS::SNS::Topic +A channel'
run "$muster" types sns
is "a part of a name finds types" "$(grep -c '^  AWS::SNS::' <<<"$out")" "$("$muster" types | grep -c '^  AWS::SNS::')"
unlike "... and no others" "$out" 'AWS::(S3|Events)'
run "$muster" types '*::sns::topic*' --json
is "so does a glob" "$(jq -r '.[0]' <<<"$out")" AWS::SNS::Topic
run "$muster" types aws::sns::topic
like "a full name finds one" "$out" '^AWS::SNS::Topic$'
like "... with the rule of its names" "$out" 'TopicName; left out, a name is made\. At most 256 characters of A-Za-z0-9_-\.'
run "$muster" types guardduty::detector
like "allowed values are shown" "$out" 'one of: FIFTEEN_MINUTES, ONE_HOUR, SIX_HOURS'
run "$muster" types s3::bucket --json
is "several are listed" "$(jq -r 'length > 1' <<<"$out")" true
run "$muster" types AWS::S3::Bucket
like "patterns are shown" "$out" 'pattern: \[a-z0-9\]'
run "$muster" types nonsense
is "a type that there is not" "$status" 1

# -- Plans
specs_make "$specs"
stack one <<'JSON'
{
  "Targets": { "Accounts": ["app"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } }
}
JSON
fleet_commit "$specs" "One topic"
cp -R "$specs" "$work/empty/a fleet's"
sandbox_start "$specs/accounts.json"
run "$muster" -C "a fleet's" plan --out "the plan.json"
is "a plan is saved where one is" "$([ -f "the plan.json" ] && echo yes)" yes
pasted=$(sed -n 's/^Saved as .*; apply exactly this with: muster //p' <<<"$err")
like "the command to apply it is told" "$pasted" "the plan\.json"
run bash -c "\"\$0\" $pasted" "$muster"
is "... and works as it stands" "$status" 0
run "$muster" -C "a fleet's" plan --json
is "--json is --format json" "$(jq -r .format_version <<<"$out")" 1.2
run "$muster" show --json "the plan.json"
is "... of show too" "$(jq -r '.resource_changes | length' <<<"$out")" 1
sandbox_stop
rm "$work/sandbox.url"

# Where the state is, only muster.json says: one that cannot be read is not taken for the usual place.
broken=$work/broken
cp -R "$specs" "$broken"
for text in '{ "Version": 1,, "State": { "Path": "elsewhere" } }' '{ "Version": 1, "State": { "Path": 7 } }' ''; do
	echo "$text" >"$broken/muster.json"
	for command in "state list" "state show a/b/c/d" "state history a/b/c/d" "state rm * --auto-approve" "state mv a/b/c/d a/b/c/e" \
		"state unlock" "state verify" "state export --out $work/x.json" "log" "plan" "apply --auto-approve" "drift" "show --apply 1"; do
		read -ra words <<<"$command"
		run "$muster" -C "$broken" "${words[@]}"
		is "muster.json of \"${text:0:16}\": muster $command fails" "$status" 1
		like "... and says why" "$err" '^error: muster.json'
	done
done
is "... and no state is made" "$(cd "$broken" && ls -d .muster elsewhere 2>/dev/null)" "$(cd "$specs" && ls -d .muster 2>/dev/null)"

# What answers slowly can be left with Ctrl-C.
sandbox_start "$specs/accounts.json" --latency-ms 20000
run timeout --foreground -s INT 1 "$muster" -C "$specs" plan
like "Ctrl-C during a plan is answered" "$err" '^Interrupted: nothing was changed that is not recorded\.$'
sandbox_stop
rm "$work/sandbox.url"

# -- What README tells is what the demo does.
fleet=$work/demo
mkdir "$fleet" && cp -R "$root/specs/baseline/." "$fleet" && fleet_commit "$fleet" "The baseline"
sandbox_start "$fleet/accounts.json"
run "$muster" -C "$fleet" plan
total=$(grep '^Plan: ' <<<"$out")
is "README has the demo's total" "$(grep -cxF -- "$total" "$root/README.md")" 1
run "$muster" -C "$fleet" apply --auto-approve
run "$muster" -C "$fleet" plan
is "... and what it says when quiet" "$(grep -cxF -- "$out" "$root/README.md")" 1
commands=$("$muster" --help | sed -nE '/^Commands:/,/^$/s/^  ((state )?[a-z]+)( .*|$)/\1/p' | sort -u)
# In fences a line begins with it; elsewhere it stands between backquotes.
named=$(cat "$root"/README.md "$root"/docs/*.md | awk '/^```/ { fence = !fence }
	fence && /^muster / { print "`" $0 }
	!fence { print }' | grep -oE '`muster (-C [a-z]+ )?(state )?[a-z]+' | sed -E 's/^`muster (-C [a-z]+ )?//' | sort -u)
# muster help is there, and not among those that it lists.
is "the documents name no command that there is not" "$(comm -13 <(printf '%s\nhelp\n' "$commands" | sort) <(echo "$named"))" ""
done_testing
