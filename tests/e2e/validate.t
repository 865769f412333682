#!/bin/bash
# Errors in specs: all of them in one run, each with its place and what was likely meant.
. "$(dirname "$0")/lib.sh"
specs=$work/specs
fresh() {
	rm -rf "$specs"
	fleet_make "$specs" 4
}
# edit FILE JQ-FILTER
edit() {
	jq "$2" "$specs/$1" >"$work/new" && cp "$work/new" "$specs/$1"
}

fresh
run "$muster" -C "$specs" validate
is "the baseline is valid" "$status" 0
like "... and counted" "$out" ': 4 accounts, [0-9]+ stack files, [0-9]+ stacks in targets '
is "... without a word of doubt" "$err" ""

edit stacks/recording.json '.Resources.Trail.Properties.S3Bucket = "x" | .Resources.Trail.Properties.IsLogging = "perhaps"
	| del(.Resources.Trail.Properties.S3BucketName) | .Resources.Recorder.Type = "AWS::Config::ConfigurationRecoder"
	| .Resources.Detector.Properties.Enable = {"Fn::Iff": []}'
edit accounts.json '.Accounts[1].Id = "22222222222" | .Accounts[2].Name = "security"'
edit stacks/detection.json '.Targets.Accounts = ["tag:projekt"] | .Resources.FindingRule.DependsOn = "Nothing" | .Ressources = {}'
edit muster.json '.HomeRegoin = "eu-west-1"'
run "$muster" -C "$specs" validate
is "bad specs are refused" "$status" 1
like "an unknown property, with its place and what was meant" "$err" \
	'^stacks/recording.json:[0-9]+:[0-9]+: Resources.Trail.Properties.*: unknown property "S3Bucket" \(did you mean "S3BucketName"\?\)'
like "a value of the wrong type" "$err" '^stacks/recording.json:[0-9]+:[0-9]+: Resources.Trail.Properties.IsLogging: '
like "a missing property" "$err" 'S3BucketName'
like "an unknown type" "$err" 'AWS::Config::ConfigurationRecoder.*did you mean "?AWS::Config::ConfigurationRecorder'
like "an unknown function" "$err" 'Fn::Iff.*did you mean "?Fn::If'
like "an id that is not 12 digits" "$err" '^accounts.json:[0-9]+:[0-9]+: .*12 digits'
like "two accounts of one name" "$err" '^accounts.json:[0-9]+:[0-9]+: .*security'
like "a selector that matches nothing" "$err" '^stacks/detection.json:[0-9]+:[0-9]+: .*"projekt" .did you mean "project"'
like "a bad DependsOn" "$err" 'Nothing'
like "an unknown section" "$err" 'Ressources.*did you mean "?Resources'
like "an unknown setting" "$err" '^muster.json:[0-9]+:[0-9]+: .*HomeRegoin.*did you mean "?HomeRegion'

fresh
printf '{ "Resources": { "A": 1,\n "A": 2 } }' >"$specs/stacks/twice.json"
printf '{ "Resources": { ' >"$specs/stacks/cut.json"
run "$muster" -C "$specs" validate
is "broken JSON is refused" "$status" 1
like "a duplicate key, with its place" "$err" '^stacks/twice.json:2:2: duplicate key "A"'
like "cut-off JSON, in the same run" "$err" '^stacks/cut.json:1:18: not valid JSON: the file ends inside the object'
sandbox_start "$specs/accounts.json"
run "$muster" -C "$specs" access
sandbox_stop
is "accounts are entered before the stacks are right" "$status" 0
unlike "... and not a word is said of those" "$err" 'stacks/'
like "... each account" "$out" '^security .* ok '

fresh
rm "$specs"/stacks/*
run "$muster" -C "$specs" validate
is "no stacks are no error" "$status" 0
like "... but said" "$err" 'warning: there are no stacks'

fresh
python3 -c 'print("[" * 10000 + "]" * 10000)' >"$specs/stacks/deep.json"
head -c 104857600 /dev/zero | tr '\0' ' ' >"$specs/stacks/large.json"
run "$muster" -C "$specs" validate
is "what is too large or too deep is refused" "$status" 1
like "... too deep" "$err" '^stacks/deep.json:1:[0-9]+: nested deeper'
like "... too large" "$err" 'stacks/large.json: larger than 8 MiB'

fresh
edit stacks/event-access.json '.Resources.ConfigRole.Properties.Description = {"Fn::GetAtt": ["EventRole", "Arn"]}
	| .Resources.EventRole.Properties.Description = {"Fn::GetAtt": ["ConfigRole", "Arn"]}'
run "$muster" -C "$specs" validate
is "a cycle is refused" "$status" 1
like "... with its path" "$err" 'ConfigRole.*EventRole.*ConfigRole|EventRole.*ConfigRole.*EventRole'

fresh
edit stacks/recording.json '.Resources.Trail.Properties.S3BucketName["Fn::GetStackOutput"].OutputName = "Bukket"'
run "$muster" -C "$specs" validate
is "an unknown output is refused" "$status" 1
like "... and what was meant" "$err" 'Bukket.*did you mean "?Bucket'
run "$muster" -C "$work/nowhere" validate
is "a directory that is not there" "$status" 1
run "$muster" -C "$specs" vaildate
is "a command that is not there" "$status" 1
like "... and what was meant" "$err" 'did you mean "validate"'
run "$muster" -C "$specs" plan --detailed-exit
is "an option that is not there" "$status" 1
like "... and what was meant" "$err" 'did you mean --detailed-exitcode'
done_testing
