#!/bin/bash
# The CI steps of docs/ci, each run as GitHub and GitLab run it: against a forge of the test's own, with identity tokens
# that the sandbox's STS holds against the trust policies of docs/ci/trust.
# shellcheck disable=SC2016 # muster's own ${AccountId}, titles that would be commands, markdown
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
for tool in python3 unzip zip; do
	command -v $tool >/dev/null || {
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	}
done
steps=$root/docs/ci/steps
docs=$root/docs/ci
shell=$(command -v dash || command -v sh)

# -- A fleet in a repository, two roles that CI may enter, a forge --
origin=$work/origin.git
dev=$work/dev
specs=$dev/fleet
keys=$work/keys
mkdir -p "$keys" "$work/forge/artifacts" "$work/state" "$work/copy" "$work/runner"
git init -q --bare -b main "$origin"
git clone -q "$origin" "$dev" 2>/dev/null
git -C "$dev" checkout -q -b main
specs_make "$specs"
mkdir -p "$specs/approvers"
for name in kato mallory; do
	openssl genpkey -algorithm ed25519 -out "$keys/$name.pem" 2>/dev/null
	openssl pkey -in "$keys/$name.pem" -pubout -out "$keys/$name.pub.pem"
done
cp "$keys/kato.pub.pem" "$specs/approvers/kato.pem"
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"]}
	| .Access.PlanRole = "arn:aws:iam::${AccountId}:role/from-security-readonly"
	| .Access.PlanChain = ["arn:aws:iam::111111111111:role/security-readonly"]'
# topic NAME [DISPLAY-NAME]: a stack with one topic in both regions of app and web
topic() {
	jq -n --arg name "$1" --arg display "${2:-}" '{Targets: {Accounts: ["tag:project"], Regions: ["*"]},
		Resources: {Topic: {Type: "AWS::SNS::Topic", Properties: ({TopicName: $name}
			+ if $display == "" then {} else {DisplayName: $display} end)}}}' >"$specs/stacks/$1.json"
}
commit() {
	git -C "$dev" add -A
	git -C "$dev" commit -q -m "$1"
}
topic one
commit "One"
git -C "$dev" push -q origin main

jq --slurpfile hub_plan "$docs/trust/github-plan.json" --slurpfile hub_apply "$docs/trust/github-apply.json" \
	--slurpfile lab_plan "$docs/trust/gitlab-plan.json" --slurpfile lab_apply "$docs/trust/gitlab-apply.json" '
	def role($name; $trust; $reads): {Account: "999999999999", Name: $name, Trust: [], TrustPolicy: $trust[0], ReadOnly: $reads};
	.Roles = [role("hub-plan"; $hub_plan; true), role("hub-apply"; $hub_apply; false),
		role("lab-plan"; $lab_plan; true), role("lab-apply"; $lab_apply; false)]' "$work/sandbox.json" >"$work/roles.json"
sandbox_start "$specs/accounts.json" --config "$work/roles.json"

python3 "$root/tests/e2e/ci_forge.py" "$work/forge" >"$work/forge.url" 2>"$work/forge.log" &
forge_pid=$!
trap 'kill "$forge_pid" 2>/dev/null; finish' EXIT
for _ in $(seq 100); do
	[ -s "$work/forge.url" ] && break
	sleep 0.05
done
forge=$(<"$work/forge.url")

# Where a step runs: nothing of the environment but what the forge gives it. FORGE=hub|lab AS=subject ROLE=role STATE=dir
common=()
hub_env() {
	common=(PATH="$PATH" HOME="$work/home" TMPDIR="$work/runner" NO_COLOR=1 GIT_CONFIG_GLOBAL=/dev/null
		ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}" AWS_EC2_METADATA_DISABLED=true
		AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL"
		MUSTER="$muster" MUSTER_SPECS=fleet)
	hub=(GITHUB_ACTIONS=true GITHUB_API_URL="$forge" GITHUB_REPOSITORY=example/fleet GITHUB_SERVER_URL=https://github.com
		GITHUB_RUN_ID=1 GITHUB_EVENT_PATH="$work/event.json" GITHUB_TOKEN=ghs_token-of-the-job)
}
hub_env
identity=(ACTIONS_ID_TOKEN_REQUEST_URL="$forge/token?version=2" ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token)
# step CHECKOUT STEP [ARGUMENT]... with the array `vars`: sets status, out, err
step() {
	local checkout=$1 name=$2
	shift 2
	(cd "$checkout" && echo "$BASHPID" >"$work/step.pid" && exec env -i "${common[@]}" "${vars[@]}" "$shell" "$steps/$name.sh" "$@") \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(<"$work/out")
	err=$(<"$work/err")
	cat "$work/out" "$work/err" >>"$work/all-logs"
}
# subject TEXT: who the forge says a job is
subject() {
	echo "$1" >"$work/forge/subject"
}
comments() {
	jq -r "$1" "$work/forge/comments.json" 2>/dev/null
}
# say USER ASSOCIATION FILE-OR-TEXT: somebody comments on the pull request
someone_says() {
	jq -n --arg user "$1" --arg association "$2" --arg body "$3" --argjson number "$pull" \
		'{user: $user, association: $association, body: $body, number: $number}' |
		curl -sf "$forge/_comment" -d @- >/dev/null
}
generation() {
	ln -sfn "$work/state" "$work/main/fleet/.muster"
	"$muster" -C "$work/main/fleet" log --json 2>/dev/null | jq '(map(.Number) | max) // 0'
}
checkout_main() {
	rm -rf "$work/main"
	git clone -q "$origin" "$work/main"
}

# pull_open NUMBER: what is in $specs becomes a branch and a pull request; its merge is what CI checks out
pull=0
run_number=100
pull_open() {
	pull=$((pull + 1))
	git -C "$dev" checkout -q -B "change-$pull"
	commit "Change $pull"
	git -C "$dev" push -q -f origin "change-$pull"
	pull_update
}
pull_update() {
	run_number=$((run_number + 1))
	checkout_main
	rm -rf "$work/pull"
	git clone -q "$origin" "$work/pull"
	git -C "$work/pull" merge -q --no-ff --no-edit "origin/change-$pull" 2>/dev/null
	jq -n --argjson number "$pull" '{action: "synchronize", pull_request: {number: $number,
		title: "$(touch pwned) `touch pwned` ${IFS}", head: {ref: "a;touch pwned"}}}' >"$work/event.json"
	pulls_set "" false
}
# pulls_set MERGE-COMMIT MERGED
pulls_set() {
	jq -n --argjson number "$pull" --arg sha "$(git -C "$dev" rev-parse "change-$pull")" --arg merge "$1" \
		--argjson merged "$2" --argjson run "$run_number" '[{number: $number, iid: $number, head: {sha: $sha},
		merge_commit_sha: $merge, merged_at: (if $merged then "2026-01-01T00:00:00Z" else null end),
		state: (if $merged then "merged" else "opened" end), runs: [$run]}]' >"$work/forge/pulls.json"
}
# The workflow's upload: of what the step left, under the name that it said
upload() {
	local name
	name=$(sed -n 's/^name=//p' "$work/output" | tail -1)
	(cd "$1/muster-out" && zip -q "$work/forge/artifacts/$name@$run_number.zip.new" plan.json)
	mv "$work/forge/artifacts/$name@$run_number.zip.new" "$work/forge/artifacts/$name@$run_number.zip"
}
plan_vars() {
	vars=("${hub[@]}" "${identity[@]}" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/hub-plan GITHUB_BASE_REF=main
		GITHUB_SHA="$(git -C "$work/pull" rev-parse HEAD)" MUSTER_STATE="$work/copy" GITHUB_OUTPUT="$work/output")
}
hub_plan() {
	: >"$work/output"
	subject "repo:example/fleet:pull_request"
	plan_vars
	step "$work/pull" plan
	[ ! -f "$work/pull/muster-out/plan.json" ] || upload "$work/pull"
}
hub_comment() {
	vars=("${hub[@]}" GITHUB_SHA="$(git -C "$1" rev-parse HEAD)")
	step "$1" comment muster-out/comment.md "$2"
}
hub_check() {
	vars=("${hub[@]}" GITHUB_SHA="$(git -C "$work/main" rev-parse HEAD)" MUSTER_STATE="$work/copy")
	step "$work/pull" approve-check
}
# sign KEY [ASSOCIATION]: signs the plan as it was uploaded, and says so in a comment
sign() {
	cp "$work/pull/muster-out/plan.json" "$work/tosign.json"
	run "$muster" approve "$work/tosign.json" --key "$keys/$1.pem" --out "$work/my.sig"
	someone_says "$1" "${2:-MEMBER}" "I have read this.

\`\`\`json
$(<"$work/my.sig")
\`\`\`"
}
# merge: as the forge squashes
merge() {
	git -C "$dev" checkout -q main
	git -C "$dev" pull -q origin main
	git -C "$dev" merge -q --squash "change-$pull" >/dev/null 2>&1
	git -C "$dev" commit -q -m "Change $pull (#$pull)"
	git -C "$dev" push -q origin main
	git -C "$dev" push -q origin --delete "change-$pull"
	pulls_set "$(git -C "$dev" rev-parse HEAD)" true
	git -C "$dev" branch -q -D "change-$pull"
	checkout_main
	echo '{"ref": "refs/heads/main"}' >"$work/event.json"
}
hub_apply() {
	: >"$work/output"
	subject "repo:example/fleet:environment:fleet"
	vars=("${hub[@]}" "${identity[@]}" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/hub-apply GITHUB_OUTPUT="$work/output"
		GITHUB_SHA="$(git -C "$work/main" rev-parse HEAD)" MUSTER_STATE="$work/state" MUSTER_STATE_COPY="$work/copy")
	step "$work/main" apply
}
# -- The first generation, by hand where the runner is --
checkout_main
ln -s "$work/state" "$work/main/fleet/.muster"
run "$muster" -C "$work/main/fleet" plan --out "$work/first.json"
run "$muster" approve "$work/first.json" --key "$keys/kato.pem"
run "$muster" -C "$work/main/fleet" apply "$work/first.json" --auto-approve --first-apply
is "the first apply is made by hand" "$status $(topics | wc -l)" "0 4"
cp "$work/state/data.mdb" "$work/copy/"

# -- A pull request --
topic two
pull_open
hub_plan
like "a pull request is planned" "$status $(tail -1 <<<"$err")" '^0 there are changes$'
is "... into a plan of the tree of what would be merged" "$(jq -r .muster.tree "$work/pull/muster-out/plan.json")" \
	"$(git -C "$work/pull" rev-parse HEAD:fleet)"
is "... which names the artifact" "$(<"$work/output")" "name=muster-plan-$(git -C "$work/pull" rev-parse HEAD:fleet)"
like "... and into a page" "$(head -c 200 "$work/pull/muster-out/plan.html")" '<!doctype html>|<!DOCTYPE html>'
hub_comment "$work/pull" plan
is "a comment is made" "$status $(comments 'length') $(comments '.[0].user.login')" "0 1 github-actions[bot]"
like "... with a hidden mark" "$(comments '.[0].body' | head -1)" '^<!-- muster:plan -->$'
like "... of what the branch does" "$(comments '.[0].body')" 'Introduced by this branch'
like "... and how to approve it" "$(comments '.[0].body')" 'muster approve plan.json --key KEY --out my.sig'
topic two "a name"
commit "More"
git -C "$dev" push -q -f origin change-1
pull_update
hub_plan
hub_comment "$work/pull" plan
is "the next push changes the comment" "$status $(comments 'length') $(comments '.[0].edits')" "0 1 1"
like "... to what would be done now" "$(comments '.[0].body')" 'a name'
jq -n --argjson number "$pull" '{user: "mallory", number: $number, body: "<!-- muster:fake -->\nNothing changes."}' |
	curl -sf "$forge/_comment" -d @- >/dev/null
hub_comment "$work/pull" fake
is "somebody else's comment with the mark is left alone" "$(comments 'length') $(comments '.[1].edits')" "3 0"
for i in $(seq 120); do someone_says kato MEMBER "Words $i"; done
hub_comment "$work/pull" plan
is "the comment is found behind many others" "$status $(comments '[.[] | select(.body | startswith("<!-- muster:plan -->"))] | length')" "0 1"
hub_comment "$work/pull" late
hub_comment "$work/pull" late
is "... and before them" "$status $(comments '[.[] | select(.body | startswith("<!-- muster:late -->"))] | map(.edits) | join(" ")')" "0 1"
head -c 65600 /dev/zero | tr '\0' x >"$work/long"
vars=("${hub[@]}")
step "$work/pull" comment "$work/long" long
is "what is too long for a comment says so" "$status $(comments '.[-1].body' | tail -1 | grep -c "^This is longer than a comment may be")" "0 1"
vars=("${hub[@]}" GITHUB_TOKEN=ghs_expired)
step "$work/pull" comment "$work/long" long
like "the forge's refusal is told" "$status $err" '^1 error: GET .*/issues/1/comments.*401.*Bad credentials'
vars=("${common[@]}" MUSTER_SPECS=fleet AWS_ACCESS_KEY_ID=AKIASANDBOX AWS_SECRET_ACCESS_KEY=sandbox-secret MUSTER_OUT=desk)
step "$work/pull" plan
is "the step runs at a desk, too" "$status $(ls "$work/pull/desk/comment.md")" "0 $work/pull/desk/comment.md"
is "nothing of the event was run" "$(find "$work/pull" "$work/runner" -name 'pwned*')" ""

# -- Who may enter which role --
subject "repo:example/fleet:pull_request"
plan_vars
vars+=(AWS_ROLE_ARN=arn:aws:iam::999999999999:role/hub-apply)
step "$work/pull" plan
is "a pull request cannot enter the role that applies" "$status" 1
like "... AWS says so" "$err" 'AccessDenied.*AssumeRoleWithWebIdentity'
like "... in the comment, too" "$(<"$work/pull/muster-out/comment.md")" 'Not authorized to perform sts:AssumeRoleWithWebIdentity'
is "... and there is no plan" "$(ls "$work/pull/muster-out/plan.json" 2>/dev/null)" ""
for other in repo:example/other:pull_request repo:example/fleet:ref:refs/heads/evil; do
	subject "$other"
	plan_vars
	step "$work/pull" plan
	is "$other cannot plan" "$status $(grep -c AccessDenied <<<"$err" | sed 's/^[1-9].*/denied/')" "1 denied"
done
vars=("${hub[@]}" GITHUB_BASE_REF=main MUSTER_STATE="$work/copy")
step "$work/pull" plan
is "a fork's pull request, which gets no token, cannot plan" "$status $(ls "$work/pull/muster-out/plan.json" 2>/dev/null)" "1 "
vars=("${hub[@]}" "${identity[@]}" GITHUB_BASE_REF=main)
step "$work/pull" plan
like "without a state that is kept there is no plan" "$status $err" '^1 error: MUSTER_STATE is not set'
vars=("${hub[@]}" ACTIONS_ID_TOKEN_REQUEST_URL="$forge/token" ACTIONS_ID_TOKEN_REQUEST_TOKEN=wrong)
step "$work/pull" token "$work/token"
is "a token that is refused" "$status $(ls "$work"/token* 2>/dev/null)" "1 "
vars=("${hub[@]}")
step "$work/pull" token "$work/token"
like "no permission for a token" "$status $err" '^1 error: no token: the job needs the permission id-token: write'
hub_plan

# -- Approval in comments --
hub_check
is "no signature yet" "$status $(jq -r '.[-1] | .state + " " + .context' "$work/forge/statuses.json")" "1 failure muster/approval"
like "... the status says why" "$(jq -r '.[-1].description' "$work/forge/statuses.json")" 'nobody has signed it'
sign kato NONE
hub_check
is "a comment by somebody from outside is not read" "$status" 1
sign mallory
hub_check
like "a key that is not listed does not count" "$status $out" 'not in Approval.Keys'
sign kato
hub_check
is "signed by who may" "$status $(jq -r '.[-1] | .state + " " + .description' "$work/forge/statuses.json")" \
	"0 success approvals: 1, required 1"
is "... on the commit of the pull request" "$(jq -r '.[-1].sha' "$work/forge/statuses.json")" "$(git -C "$dev" rev-parse change-1)"

# -- Merged: the very plan --
subject "repo:example/fleet:pull_request"
digest=$(jq -r .muster.digest "$work/pull/muster-out/plan.json")
merge
hub_apply
is "after a squash merge the plan that was approved is applied" "$status $(topics | wc -l) $(generation)" "0 8 2"
is "... the very one" "$("$muster" -C "$work/main/fleet" log --json | jq -r '.[0].Facts.PlanDigest')" "$digest"
hub_comment "$work/main" apply
is "the report is a comment on the pull request" "$status $(comments '.[-1] | .number') $(comments '.[-1].body' | head -1)" \
	"0 1 <!-- muster:apply -->"
like "... with what was done" "$(comments '.[-1].body')" '4 created'
is "what became of it is noted on main, and pushed" \
	"$(git -C "$origin" notes --ref=muster show main | grep '^{"muster":' | jq -r '.muster | "\(.Generation) \(.Result)"')" "2 complete"
is "who plans gets a copy of the state" "$(cmp "$work/state/data.mdb" "$work/copy/data.mdb" && echo same)" same
hub_apply
is "run again it is applied already" "$status $(generation)" "0 2"
like "... it says" "$err" 'applied already'

# -- Refused: a branch with its own key --
cp "$keys/mallory.pub.pem" "$specs/approvers/mallory.pem"
edit muster.json '.Approval.Keys += ["approvers/mallory.pem"]'
topic three
pull_open
hub_plan
sign mallory
hub_check
like "a branch that adds its own key" "$status $(jq -r '.[-1].state' "$work/forge/statuses.json")" '^1 failure'
merge
hub_apply
is "... is not applied, merged or not" "$status $(topics | wc -l) $(generation)" "1 8 2"
like "... saying why" "$(<"$work/main/muster-out/comment.md")" 'not in Approval.Keys'
hub_comment "$work/main" apply
like "... in a comment" "$(comments '.[-1].body')" 'nothing was changed'
# As people get on: the plan that the job made is signed, and the job run again.
upload "$work/main"
cp "$work/main/muster-out/plan.json" "$work/pull/muster-out/plan.json"
sign kato
hub_apply
is "signed by who may, and run again, it is" "$status $(topics | wc -l) $(generation)" "0 12 3"

# -- Refused: edited --
topic four
pull_open
hub_plan
sign kato
(
	cd "$work/pull/muster-out" || exit
	jq -c '.muster.unchanged = 7' plan.json >forged.json
	forged=$(jq -cSj 'del(.muster.digest, .muster.signatures)' forged.json | sha256sum | cut -d' ' -f1)
	jq -c --arg digest "$forged" '.muster.digest = $digest' forged.json >plan.json
)
upload "$work/pull"
merge
hub_apply
is "a plan that was edited after it was signed is not applied" "$status $(topics | wc -l) $(generation)" "1 12 3"
like "... since nobody has signed that one" "$(<"$work/main/muster-out/comment.md")" 'nobody has signed it'
upload "$work/main"
cp "$work/main/muster-out/plan.json" "$work/pull/muster-out/plan.json"
sign kato
hub_apply
is "... a new one is" "$status $(generation)" "0 4"

# -- main moves on --
echo hello >"$dev/README.md"
topic one "changed"
pull_open
hub_plan
sign kato
git -C "$dev" checkout -q main
echo elsewhere >"$dev/elsewhere"
commit "Nothing to do with the fleet"
git -C "$dev" push -q origin main
merge
hub_apply
is "main moves on elsewhere: the plan is still the plan" "$status $(generation)" "0 5"
topic one "changed again"
pull_open
hub_plan
sign kato
git -C "$dev" checkout -q main
topic five
commit "A topic in between"
git -C "$dev" push -q origin main
merge
hub_apply
is "main moves on in the fleet: not applied" "$status $(generation)" "1 5"
like "... since it is not what was approved" "$(<"$work/main/muster-out/comment.md")" 'the specs are not those that this plan was approved for'
like "... with all that would be done" "$(<"$work/main/muster-out/comment.md")" 'five'
upload "$work/main"
cp "$work/main/muster-out/plan.json" "$work/pull/muster-out/plan.json"
sign kato
hub_apply
is "... approved anew it is" "$status $(generation)" "0 6"
topic one "stale"
pull_open
hub_plan
sign kato
# Another apply of the same resources, by somebody at the runner.
merge
topic_now=$(<"$work/main/fleet/stacks/one.json")
jq '.Resources.Topic.Properties.DisplayName = "urgent"' <<<"$topic_now" >"$work/main/fleet/stacks/one.json"
git -C "$work/main" commit -qam "Urgent"
ln -sfn "$work/state" "$work/main/fleet/.muster"
run "$muster" -C "$work/main/fleet" plan --out "$work/urgent.json"
run "$muster" approve "$work/urgent.json" --key "$keys/kato.pem"
run "$muster" -C "$work/main/fleet" apply "$work/urgent.json" --auto-approve
is "somebody applies something urgent" "$status $(generation)" "0 7"
checkout_main
hub_apply
is "what the plan touches has changed since: not applied" "$status $(generation)" "1 7"
like "... saying what" "$(<"$work/main/muster-out/comment.md")" 'has changed since the plan was made'

# -- Where no approval is required: the same, or nothing --
upload "$work/main"
cp "$work/main/muster-out/plan.json" "$work/pull/muster-out/plan.json"
sign kato
hub_apply
edit muster.json 'del(.Approval)'
pull_open
hub_plan
sign kato
merge
hub_apply
is "the last approval is of doing without" "$status $(generation)" "0 9"
topic one "free"
pull_open
hub_plan
git -C "$dev" checkout -q main
topic six
commit "A topic that somebody else adds"
git -C "$dev" push -q origin main
merge
hub_apply
is "what the new plan does besides was not reviewed" "$status $(generation)" "1 9"
like "... it is named" "$(<"$work/main/muster-out/comment.md")" \
	'would do something else than one that is made now: app/eu-west-1/six/Topic, app/us-east-1/six/Topic, web'
upload "$work/main"
hub_apply
is "looked at, and run again" "$status $(generation) $(topics | wc -l)" "0 10 24"
outsider "$app" eu-west-1 sns Action=SetTopicAttributes Version=2010-03-31 "TopicArn=arn:aws:sns:eu-west-1:$app:two" \
	AttributeName=DisplayName AttributeValue=drifted >/dev/null
topic one "free again"
pull_open
hub_plan
is "what has drifted is told from what the branch does" \
	"$(jq -r '.muster.changes | to_entries[] | select(.value.pending or any(.value.differences[]?; .pending)) | .key' \
		"$work/pull/muster-out/plan.json")" "app/eu-west-1/two/Topic"
git -C "$dev" checkout -q main
echo text >"$specs/README.md"
commit "Words in the fleet's directory"
git -C "$dev" push -q origin main
merge
hub_apply
is "another tree that does the same is applied" "$status $(generation)" "0 11"
git -C "$dev" checkout -q main
git -C "$dev" pull -q origin main
topic one "pushed"
commit "Straight to main"
git -C "$dev" push -q origin main
checkout_main
hub_apply
is "what nobody planned is not applied" "$status $(generation)" "1 11"
like "... saying so" "$(<"$work/main/muster-out/comment.md")" 'was never planned'
hub_comment "$work/main" apply
like "... and there is no pull request to say it to" "$status $err" '^0 no pull request'

# -- Cancelled, and failed --
upload "$work/main"
sandbox_post fault '{"Faults": ["operation=SetTopicAttributes,account=333333333333,code=AuthorizationError,status=403"]}'
hub_apply
is "an apply that fails in part fails the job" "$status $(generation)" "1 12"
like "... with the report all the same" "$(<"$work/main/muster-out/comment.md")" 'partial'
is "... and the note, and the copy" "$(git -C "$origin" notes --ref=muster show main | grep '^{"muster":' | jq -r .muster.Result) $(
	cmp "$work/state/data.mdb" "$work/copy/data.mdb" && echo same)" "partial same"
sandbox_post fault '{"Clear": true}'
topic one "cancelled"
pull_open
hub_plan
merge
sandbox_post config '{"LatencyMs": 1000}'
sets=$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')
hub_apply &
waiting=$!
for _ in $(seq 600); do
	[ "$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')" -gt "$sets" ] && break
	sleep 0.02
done
kill -TERM "$(<"$work/step.pid")"
wait "$waiting"
sandbox_post config '{"LatencyMs": 0}'
like "a job that is cancelled stops muster" "$(<"$work/err")" 'Stopping: nothing new is started'
is "... which ends what is under way, and records it" \
	"$(generation) $("$muster" -C "$work/main/fleet" log --limit 1 --json | jq -r '.[0].Status')" "13 finished"
like "... and reports it" "$(<"$work/main/muster-out/comment.md")" 'generation 13'

# -- Drift --
if "$muster" drift --help | grep -q -- --format; then
	upload "$work/main"
	hub_apply
	drift_run() {
		subject "repo:example/fleet:ref:refs/heads/main"
		vars=("${hub[@]}" "${identity[@]}" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/hub-plan MUSTER_STATE="$work/copy"
			MUSTER_DRIFT_STATE="$work/drift")
		step "$work/main" drift
	}
	drift_run
	is "no drift, no issue" "$status $(ls "$work/forge/issues.json" 2>/dev/null)" "0 "
	outsider "$app" eu-west-1 sns Action=SetTopicAttributes Version=2010-03-31 "TopicArn=arn:aws:sns:eu-west-1:$app:two" \
		AttributeName=DisplayName AttributeValue=sneaky >/dev/null
	drift_run
	is "drift opens an issue" "$status $(jq -r 'map(.state) | join(" ")' "$work/forge/issues.json")" "0 open"
	like "... that says what" "$(jq -r '.[0].body' "$work/forge/issues.json")" 'sneaky'
	drift_run
	is "... which is changed in place" "$status $(jq -r '.[0] | "\(.edits) \(.state)"' "$work/forge/issues.json")" "0 1 open"
	outsider "$app" eu-west-1 sns Action=SetTopicAttributes Version=2010-03-31 "TopicArn=arn:aws:sns:eu-west-1:$app:two" \
		AttributeName=DisplayName "AttributeValue=a name" >/dev/null
	drift_run
	is "... and closed" "$status $(jq -r 'length, .[0].state' "$work/forge/issues.json" | tr '\n' ' ')" "0 1 closed "
fi

# -- GitLab --
lab=(GITLAB_CI=true CI_API_V4_URL="$forge/api/v4" CI_PROJECT_ID=7 CI_PROJECT_PATH=example/fleet CI_SERVER_HOST=gitlab.com
	CI_JOB_URL=https://gitlab.com/example/fleet/-/jobs/1 MUSTER_GITLAB_TOKEN=glpat-token-of-the-project
	MUSTER_NOTES_REMOTE=origin)
# lab_identity SUBJECT ROLE
lab_identity() {
	subject "$1"
	lab_as=(MUSTER_ID_TOKEN="$(curl -sf "$forge/_gitlab-token" | jq -r .value)" AWS_ROLE_ARN="arn:aws:iam::999999999999:role/$2")
}
git -C "$dev" checkout -q main
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"]}'
topic one "gitlab"
pull_open
lab_identity "project_path:example/fleet:ref_type:branch:ref:change-$pull" lab-plan
in_request=(CI_MERGE_REQUEST_IID="$pull" CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_COMMIT_SHA="$(git -C "$dev" rev-parse HEAD)")
vars=("${lab[@]}" "${lab_as[@]}" "${in_request[@]}" MUSTER_STATE="$work/copy")
step "$work/pull" plan
is "GitLab: a merge request is planned" "$status" 0
echo "name=muster-plan-gitlab" >"$work/output"
upload "$work/pull"
before=$(comments length)
vars=("${lab[@]}" "${in_request[@]}")
step "$work/pull" comment muster-out/comment.md plan
step "$work/pull" comment muster-out/comment.md plan
is "... into one note" "$status $(($(comments length) - before)) $(comments '.[-1].edits')" "0 1 1"
lab_identity "project_path:example/fleet:ref_type:branch:ref:change-$pull" lab-apply
vars=("${lab[@]}" "${lab_as[@]}" "${in_request[@]}" MUSTER_STATE="$work/copy" MUSTER_OUT=other)
step "$work/pull" plan
like "... a branch cannot enter the role that applies" "$status $err" 'AccessDenied'
lab_identity "project_path:somebody/fleet:ref_type:branch:ref:main" lab-plan
vars=("${lab[@]}" "${lab_as[@]}" "${in_request[@]}" MUSTER_STATE="$work/copy" MUSTER_OUT=other)
step "$work/pull" plan
like "... nor a fork the one that plans" "$status $err" 'AccessDenied'
vars=("${lab[@]}" "${in_request[@]}" MUSTER_STATE="$work/copy")
step "$work/pull" approve-check muster-out/plan.json
is "... without approvals in force a plan may be applied" "$status $(jq -r '.[-1] | .state + " " + .name' "$work/forge/statuses.json")" \
	"0 success muster/approval"
merge
lab_identity "project_path:example/fleet:ref_type:branch:ref:main" lab-apply
before=$(generation)
vars=("${lab[@]}" "${lab_as[@]}" CI_COMMIT_SHA="$(git -C "$work/main" rev-parse HEAD)" MUSTER_STATE="$work/state"
	MUSTER_STATE_COPY="$work/copy")
step "$work/main" apply
is "... and is, after the merge" "$status $(($(generation) - before))" "0 1"
vars=("${lab[@]}" CI_COMMIT_SHA="$(git -C "$work/main" rev-parse HEAD)")
step "$work/main" comment muster-out/comment.md apply
is "... with its report on the merge request" "$status $(comments '.[-1] | "\(.number) \(.author.id)"')" "0 $pull 1"

# -- No secret in any log; nothing left behind --
unlike "no token stands in a log" "$(<"$work/all-logs")" 'ghs_token|glpat-token|request-token|c2lnbmF0dXJl|eyJ'
unlike "... nor in what is uploaded or said" "$(cat "$work"/*/muster-out/* "$work/forge/comments.json")" \
	'ghs_token|glpat-token|request-token|c2lnbmF0dXJl'
is "no token stays on the disk" "$(ls -A "$work/runner")" ""

# -- The workflows --
if python3 -c 'import yaml' 2>/dev/null; then
	run python3 - "$docs" <<-'PY'
		import glob, os, re, sys, yaml
		docs = sys.argv[1]
		problems = []
		def runs(node):
		    if isinstance(node, dict):
		        for key, value in node.items():
		            if key in ("run", "script", "after_script"):
		                yield from ([value] if isinstance(value, str) else value)
		            else:
		                yield from runs(value)
		    elif isinstance(node, list):
		        for item in node:
		            yield from runs(item)
		files = glob.glob(docs + "/github/*.yml") + [docs + "/gitlab-ci.yml"]
		for file in files:
		    with open(file) as text:
		        lines = list(runs(yaml.safe_load(text)))
		    if not lines:
		        problems.append(f"{file}: runs nothing")
		    for line in lines:
		        if "${{" in line:
		            problems.append(f"{file}: an expression in a command: {line}")
		        for script in re.findall(r"ci/steps/(\S+)", line):
		            if not os.access(f"{docs}/steps/{script}", os.X_OK):
		                problems.append(f"{file}: no such step: {script}")
		        if "ci/steps/" not in line and not line.startswith("git fetch"):
		            problems.append(f"{file}: not a step: {line}")
		print("\n".join(problems))
		sys.exit(bool(problems) or len(files) < 5)
	PY
	is "workflows can be read, and run only steps that there are" "$status $out" "0 "
else
	pass "workflows can be read # SKIP python3 has no yaml"
fi
done_testing
