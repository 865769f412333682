#!/bin/bash
# Mending the state: moving and forgetting records, taking in what is live, carrying a whole state away and back, and
# the lock of a process that died.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
state=$specs/.muster

stack base <<'JSON'
{
  "Targets": { "Accounts": ["*"], "Regions": ["home"] },
  "Resources": {
    "Detector": { "Type": "AWS::GuardDuty::Detector", "Properties": { "Enable": true } },
    "Key": { "Type": "AWS::KMS::Key", "Properties": { "Description": "ours", "KeyPolicy": { "Version": "2012-10-17",
      "Statement": [{ "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } } }] } } },
    "Bucket": { "Type": "AWS::S3::Bucket", "Properties": {} },
    "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "reader", "AssumeRolePolicyDocument": {
      "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "ec2.amazonaws.com" } }] } } },
    "Inline": { "Type": "AWS::IAM::RolePolicy", "Properties": { "RoleName": { "Ref": "Role" }, "PolicyName": "read",
      "PolicyDocument": { "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }] } } },
    "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts", "DisplayName": { "Ref": "Key" } } }
  }
}
JSON
stack quiet <<'JSON'
{
  "Targets": { "Accounts": ["web"], "Regions": ["home"] },
  "Parameters": { "Secret": { "Type": "String", "NoEcho": true } },
  "Resources": {
    "Plain": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "/plain", "Type": "String", "Value": "seen" } },
    "Hidden": { "Type": "AWS::SSM::Parameter",
      "Properties": { "Name": "/hidden", "Type": "String", "Value": { "Ref": "Secret" } } }
  }
}
JSON
edit muster.json '.Parameters = {Secret: {Env: "SURGERY_SECRET"}}'
export SURGERY_SECRET=s3cr3t-of-surgery
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"
quiet() {
	muster plan --detailed-exitcode
	is "$1" "$status" 0
}
writes() {
	sandbox_calls '[.Operation | to_entries[]
		| select(.key | test(":(Get|List|Describe|AssumeRole|Decode|Lookup|Head)") | not) | .value] | add // 0'
}
# recorded ADDRESS JQ-FILTER
recorded() {
	"$muster" -C "$specs" state show "$1" | jq -r "$2"
}

# -- Nothing there yet --
for command in 'mv app web' "rm *" unlock; do
	# shellcheck disable=SC2086
	set -f && muster state $command && set +f
	is "state ${command%% *} without a state" "$status" 1
	like "... says so" "$err" 'there is no state in .*\.muster'
done
is "... and makes none" "$(ls -A "$state" 2>/dev/null)" ""

muster apply --auto-approve
is "a fleet" "$status $("$muster" -C "$specs" state list | wc -l)" "0 20"
written=$(writes)

# -- mv --
muster state mv app/eu-west-1/base/Key app/eu-west-1/base/Kye
is "state mv moves a record" "$status" 0
like "... and says what it did" "$out" 'Moved 1 resource from app/eu-west-1/base/Key to app/eu-west-1/base/Kye'
is "... what depends on it knows" "$(recorded app/eu-west-1/base/Topic '.DependsOn | join(" ")')" app/eu-west-1/base/Kye
is "... and its names stay" "$(recorded app/eu-west-1/base/Kye .Origin)" app/eu-west-1/base/Key
muster state mv app/eu-west-1/base/Kye app/eu-west-1/base/Key
is "... and back" "$status $(recorded app/eu-west-1/base/Key '.Origin // "own"')" "0 own"
quiet "... quietly"
muster state mv app/eu-west-1/base app/eu-west-1/found
is "a stack in one target" "$status $("$muster" -C "$specs" state list 'app/eu-west-1/found/*' | wc -l)" "0 6"
muster state mv app/eu-west-1/found app/eu-west-1/base
muster state mv app apps
is "an account" "$status $("$muster" -C "$specs" state list 'apps/*' | wc -l)" "0 6"
muster state mv apps app
quiet "... and back, quietly"
is "all that without a call" "$(writes)" "$written"
# refused WORDS MESSAGE FROM TO
refused() {
	local name=$1 message=$2
	shift 2
	muster state mv "$@"
	is "refused: $name" "$status" 1
	like "... in words" "$err" "$message"
}
refused "nothing there" 'nothing is recorded at app/eu-west-1/base/Nothing' app/eu-west-1/base/Nothing app/eu-west-1/base/Key
refused "something there" 'app/eu-west-1/base/Role: something is recorded there already' app/eu-west-1/base/Key app/eu-west-1/base/Role
refused "other parts" 'have not the same number of parts' app/eu-west-1 web
refused "no address" '"app//base" is no address' app//base web/eu-west-1/base
refused "another region" 'cannot be moved to another' app/eu-west-1 app/us-east-1
refused "another account" 'app is account 222222222222 and web is account 333333333333' app/eu-west-1/base/Key web/eu-west-1/base/Other
quiet "... and nothing moved"
muster log --json
is "each is a generation" "$(jq -c '[.[0].Facts.Command[-4:-2], .[0].Outcome.Moved, .[0].Outcome.Result]' <<<"$out")" '[["state","mv"],6,"complete"]'

like "... and told to git" "$(git -C "$specs" notes --ref refs/notes/muster show HEAD)" '^muster generation 2: complete, 1 moved'

# -- rm, and import of what it forgot --
detector=$(recorded app/eu-west-1/base/Detector .Attributes.Id)
key=$(recorded app/eu-west-1/base/Key .Attributes.KeyId)
bucket=$(recorded app/eu-west-1/base/Bucket .Properties.BucketName)
muster state rm 'app/eu-west-1/base/Key'
is "state rm asks" "$status" 1
like "... after it has shown what it would forget, with its ID" "$out" "^- app/eu-west-1/base/Key \(AWS::KMS::Key\) $key\$"
like "... and nobody is there to answer" "$err" 'use --auto-approve'
muster state rm --auto-approve 'ap/*'
like "a pattern that matches nothing" "$status$err" "^1.*'ap/\*' matches nothing that is recorded"
muster state rm --auto-approve 'app/eu-west-1/*'
is "state rm forgets" "$status $("$muster" -C "$specs" state list 'app/*' | wc -l)" "0 0"
like "... shows what import takes: parts of an identity" "$out" '^- app/eu-west-1/base/Inline \(AWS::IAM::RolePolicy\) reader\|read$'
like "... or what Ref gives" "$out" "^- app/eu-west-1/base/Bucket \(AWS::S3::Bucket\) $bucket\$"
like "... leaves AWS as it is, and says how it is taken back" "$out" 'AWS is as it was.*muster state import ADDRESS ID'
is "... without a call" "$(writes)" "$written"
muster plan
is "what is forgotten is not made a second time" "$status" 1
like "... but said to exist" "$err" 'exists already'

muster state import app/eu-west-1/base/Detector 00000000000000000000000000000000
is "import: another id than the detector's" "$status" 1
like "... is said to be another" "$err" "what AWS::GuardDuty::Detector has there in app \(222222222222\), eu-west-1, is $detector, not 0000"
muster state import app/eu-west-1/base/Key 00000000-0000-0000-0000-000000000000
is "import: a key that is not there" "$status" 1
like "... is said not to be" "$err" 'there is no AWS::KMS::Key with the identifier 00000000'
muster state import app/eu-west-1/base/Role nobody
like "import: a role that is not there" "$status$err" '^1.*there is no AWS::IAM::Role with the identifier nobody'
muster state import app/eu-west-1/base/Role "arn:aws:kms:eu-west-1:$app:key/$key"
like "import: the ARN of something else" "$status$err" '^1.*is the ARN of something of kms, and AWS::IAM::Role is of iam'
muster state import app/eu-west-1/base/Nothing x
is "import: an address that the specs do not have" "$status" 1
like "... is said so" "$err" 'app/eu-west-1/base/Nothing'
muster state import web/eu-west-1/base/Key "$key"
like "import: what is recorded already" "$status$err" '^1.*web/eu-west-1/base/Key is recorded already'
muster state import 'app/*/base/Key' "$key"
like "import: a pattern" "$status$err" '^1.*is no address of one resource'
is "... and nothing was recorded by all that" "$("$muster" -C "$specs" state list 'app/*' | wc -l)" 0

muster state import app/eu-west-1/base/Detector "$detector"
is "import of a detector" "$status" 0
like "... counts as adopted" "$out" 'It counts as adopted'
muster state import app/eu-west-1/base/Key "arn:aws:kms:eu-west-1:$app:key/$key"
is "import of a key, by its ARN" "$status $(recorded app/eu-west-1/base/Key .Attributes.KeyId)" "0 $key"
muster state import app/eu-west-1/base/Bucket "$bucket"
is "import of a bucket" "$status" 0
like "... whose name is one that muster made" "$out" 'counts as made by muster'
is "... is ours" "$(recorded app/eu-west-1/base/Bucket '.Adopted // false') $(recorded app/eu-west-1/base/Key '.Adopted // false')" "false true"
muster state import app/eu-west-1/base/Role "arn:aws:iam::$app:role/reader"
is "import of a role, by its ARN" "$status" 0
muster state import app/eu-west-1/base/Inline 'reader|wrong'
is "import by the parts of an identity: another one" "$status" 1
muster state import app/eu-west-1/base/Inline 'reader|read'
is "... and the right one" "$status" 0
muster state import app/eu-west-1/base/Topic alerts
is "import of a topic by its name" "$status" 0
quiet "what was imported is as the specs want it"
is "... without a call that changes anything" "$(writes)" "$written"
muster state rm --auto-approve app/eu-west-1/base/Key
edit stacks/base.json '.Resources.Key.Properties.Description = "other"'
muster state import app/eu-west-1/base/Key "$key"
muster plan
like "what differs is shown by the next plan" "$out" '~ Description: "ours" -> "other"'
edit stacks/base.json '.Resources.Key.Properties.Description = "ours"'
quiet "... and not when it does not"

# -- Secrets --
muster state rm --auto-approve 'web/eu-west-1/quiet/*'
muster state import web/eu-west-1/quiet/Hidden /hidden
is "import of something secret" "$status" 0
muster state import web/eu-west-1/quiet/Plain /plain
is "... leaves no secret in the state" "$(grep -rc "$SURGERY_SECRET" "$state" | grep -cv ':0$')" 0
muster apply --auto-approve
is "... and is set by the next apply" "$status" 0
quiet "... and quiet"

# -- export and import of everything --
muster state export
is "export" "$(jq -c '[.Format, .Lineage, .Secrets, (.Resources | length), (.Regions | length)]' <<<"$out")" '[1,"01SMALLFLEET0000000000000",false,20,3]'
unlike "... without what tells of a secret" "$out" 'Hmac|SecretKey|s3cr3t'
muster state export --secrets --out "$work/whole.json"
is "export with secrets, into a file" "$status $out" "0 "
is "... that only its owner reads" "$(stat -c %a "$work/whole.json")" 600
is "... has the hashes, and the key to compare them" "$(jq -c '[.Secrets, (.SecretKey | length), (.Resources["web/eu-west-1/quiet/Hidden"].Properties.Value["Muster::Secret"] | has("Hmac"))]' "$work/whole.json")" '[true,64,true]'
is "... not in clear" "$(grep -c "$SURGERY_SECRET" "$work/whole.json")" 0
muster state export --out /nonexistent/x.json
is "export to nowhere fails" "$status" 1
muster state import "$work/whole.json"
is "an export does not go into a state with records" "$status" 1
like "... in words" "$err" 'the state has 20 records; an export can be taken only into one without any'
rm -rf "$state"
muster plan
is "a lost state: nothing is made a second time" "$status" 1
sed 's/01SMALLFLEET/01OTHERFLEET/' "$work/whole.json" >"$work/other.json"
muster state import "$work/other.json"
like "an export of another fleet is refused" "$status$err" '^1.*it was exported from another fleet'
jq '.Format = 2' "$work/whole.json" >"$work/newer.json"
muster state import "$work/newer.json"
like "... and one of a newer format" "$status$err" '^1.*format 2, and this program knows 1'
jq '.Resources["web/x"] = {}' "$work/whole.json" >"$work/broken.json"
muster state import "$work/broken.json"
like "... and a damaged one" "$status$err" '^1.*web/x: it has no Type'
echo '{' >"$work/cut.json"
muster state import "$work/cut.json"
like "... and one that is cut off" "$status$err" '^1.*cut.json:[0-9]+:[0-9]+:'
is "... all of which leave nothing" "$("$muster" -C "$specs" state list | wc -l)" 0
muster state import "$work/whole.json"
is "the export goes into an empty state" "$status $("$muster" -C "$specs" state list | wc -l)" "0 20"
like "... and says so" "$out" 'Imported 20 resources'
quiet "... and the plan is quiet"
muster plan --no-refresh --detailed-exitcode
is "... also by the records alone" "$status" 0
muster state verify
is "... and the state is whole" "$status" 0

# -- Open intents --
# A run that dies in the middle leaves intents, which surgery keeps its hands off.
sandbox_post fault '{"Faults": ["operation=SetTopicAttributes,action=hang"]}'
edit stacks/base.json '.Resources.Topic.Properties.DisplayName = "changed"'
commit_before "$specs"
"$muster" -C "$specs" apply --auto-approve >"$work/cut" 2>&1 &
pid=$!
# In its first call that changes something: intents are written by then.
for _ in $(seq 200); do
	muster plan --no-refresh
	grep -q 'cut off' <<<"$out" && break
	sleep 0.05
done
muster state unlock
is "unlock: a live holder keeps the lock" "$status" 1
like "... who, since when, with what" "$err" "locked by a live process, pid $pid \(.*@.*\) since .*apply --auto-approve"
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
sandbox_post fault '{"Clear": true}'
muster state unlock
is "unlock: a dead one's words are cleared" "$status" 0
like "... and said" "$out" "Nobody holds the lock. The last holder died: pid $pid"
muster state unlock
like "... once" "$status$out" '^0Nobody holds the lock, and nothing was left'
muster plan
like "the killed run left intents" "$out$(<"$work/cut")" 'base/Topic: a run that was cut off'
muster state mv app/eu-west-1/base/Topic app/eu-west-1/base/Topics
like "mv of what is under way is refused" "$status$err" '^1.*app/eu-west-1/base/Topic: an apply that was cut off .*run muster apply --recover first'
muster state rm --auto-approve 'app/*'
like "... and so is rm" "$status$err" '^1.*run muster apply --recover first'
edit stacks/base.json '.Moved = [{From: "Topic", To: "Topics"}] | .Resources.Topics = .Resources.Topic | del(.Resources.Topic)'
muster plan
like "... and a move by the specs waits" "$out" 'is not moved here from .*/base/Topic yet'
unlike "... nothing is deleted" "$out" '- delete'
muster apply --auto-approve
is "... until an apply has settled it" "$status $("$muster" -C "$specs" state list '*/Topics' | wc -l)" "0 3"
quiet "... and quiet"

# -- An account that was closed --
edit accounts.json 'del(.Accounts[2])'
rm "$specs/stacks/quiet.json"
muster plan --out "$work/gone.json"
is "an account taken off the roster: deletions are planned, but of what was adopted" \
	"$(planned "$work/gone.json" '.address | test("^web/")' | wc -w) $(planned "$work/gone.json" '.change.actions == ["delete"]' | wc -w)" "8 6"
sandbox_post fault '{"Faults": ["service=sts,operation=AssumeRole,code=AccessDenied,status=403"]}'
muster plan
like "... which cannot be entered any more: the way out is said" "$out$err" "if the account is closed, .*muster state rm 'web/\*'"
sandbox_post fault '{"Clear": true}'
muster state rm --auto-approve 'web/*'
is "... and works" "$status" 0
quiet "... and is quiet"
done_testing
