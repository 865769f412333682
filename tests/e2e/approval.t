#!/bin/bash
# Approval and limits: a plan that is not approved, or does more than it may, changes nothing, and apply says why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
as_they_are=yes # commits decide here, so each is made by the test
keys=$work/keys
mkdir -p "$keys" "$specs/approvers"

# -- Keys, made anew for each run --
openssl genpkey -algorithm ed25519 -out "$keys/kato.pem" 2>/dev/null
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$keys/sato.pem" 2>/dev/null
openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass pass:open -out "$keys/ito.pem" 2>/dev/null
openssl genpkey -algorithm ed25519 -out "$keys/mallory.pem" 2>/dev/null
for name in kato sato mallory; do
	openssl pkey -in "$keys/$name.pem" -pubout -out "$keys/$name.pub.pem"
done
openssl pkey -in "$keys/ito.pem" -passin pass:open -pubout -out "$keys/ito.pub.pem"
cp "$keys/kato.pub.pem" "$specs/approvers/kato.pem"
cp "$keys/sato.pub.pem" "$specs/approvers/sato.pem"
cp "$keys/ito.pub.pem" "$specs/approvers/ito.pem"

# topic NAME [JQ-FILTER-OVER-THE-RESOURCE]: a stack with one topic in both regions of app and web.
topic() {
	jq -n --arg name "$1" '{Targets: {Accounts: ["tag:project"], Regions: ["*"]},
		Resources: {Topic: ({Type: "AWS::SNS::Topic", Properties: {TopicName: $name}} | '"${2:-.}"')}}' \
		>"$specs/stacks/$1.json"
}
topic one
edit muster.json '.Approval = {Required: 2, Keys: ["approvers/kato.pem", "approvers/sato.pem",
	{File: "approvers/ito.pem", Email: "ito@example.com"}]}'
fleet_commit "$specs" "One"
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

plan_to() {
	local file=$work/$1
	shift
	muster plan --out "$file" "$@"
}
approve() {
	local file=$1 key=$2
	shift 2
	muster approve "$work/$file" --key "$keys/$key.pem" "$@"
}
generation() {
	"$muster" -C "$specs" log --json 2>/dev/null | jq '(map(.Number) | max) // 0'
}
# refused NAME MESSAGE: of the last run; nothing in AWS and no generation may have come of it.
refused() {
	is "$1: refused" "$status" 1
	like "... saying why" "$err" "$2"
	is "... and nothing was changed" "$(topics | wc -l) $(generation)" "$held"
}
hold() {
	held="$(topics | wc -l) $(generation)"
}
# forge FROM TO JQ-FILTER: what somebody can do who can write the file: change it and make its digest anew.
forge() {
	jq -c "$3" "$work/$1" >"$work/forged"
	local digest
	digest=$(jq -cSj 'del(.muster.digest, .muster.signatures)' "$work/forged" | sha256sum | cut -d' ' -f1)
	jq -c --arg digest "$digest" '.muster.digest = $digest' "$work/forged" >"$work/$2"
}

# -- The first plan, under its own rules --
hold
muster apply --auto-approve
refused "planning and applying in one go" 'Approval.Required is 2.*muster plan --out FILE, muster approve FILE'
plan_to plan.json
digest=$(jq -r .muster.digest "$work/plan.json")
like "a plan tells how it is applied: approved first" "$err" \
	'approved \(2 required\) with: muster .*approve .*/plan.json --key KEY; then apply exactly this with: muster .*apply .*/plan.json --first-apply$'
muster apply "$work/plan.json" --auto-approve
refused "a plan that nobody signed" 'not approved: nobody has signed it, and these specs require 2 of 3 keys; who still may: approvers/kato.pem \(SHA256:'
approve plan.json kato
is "an Ed25519 key in PEM signs" "$status" 0
like "... and shows what it signs" "$out" "digest +$digest"
like "... in short" "$out" "changes +4 to create"
is "... which leaves the digest as it is" "$(jq -r .muster.digest "$work/plan.json")" "$digest"
is "... with one signature in the file" "$(jq -c '.muster.signatures | map(.KeyType)' "$work/plan.json")" '["ssh-ed25519"]'
approve plan.json kato
is "the same key again replaces its signature" "$status $(jq '.muster.signatures | length' "$work/plan.json")" "0 1"
like "... and says so" "$err" 'signed again: SHA256:[^ ]* had signed this plan already'
muster apply "$work/plan.json"
refused "too few signatures" '1 of the 2 approvals that these specs require; signed by approvers/kato.pem \(SHA256:[^)]*\); who still may: approvers/sato.pem \(SHA256:[^)]*\), ito@example.com \(SHA256:'
jq -c '.muster.signatures += .muster.signatures' "$work/plan.json" >"$work/double.json"
muster apply "$work/double.json"
refused "one key twice" '1 of the 2 approvals'
muster approve "$work/plan.json" --check
refused "approve --check, which asks the same" '1 of the 2 approvals that these specs require'
approve plan.json mallory
is "any key can sign" "$status" 0
like "... but is told when it will not count" "$err" 'is not in Approval.Keys of the specs that will decide: this signature will not count'
muster apply "$work/plan.json"
refused "a key that is not in the list" 'the signature of SHA256:[^ ]* does not count: the key is not in Approval.Keys of these specs'
jq -c '.muster.signatures |= map(select(.KeyType == "ssh-ed25519") | .Signature = ("A" * 86 + "=="))' "$work/plan.json" >"$work/wrong.json"
muster apply "$work/wrong.json"
refused "a wrong signature" 'the signature of approvers/kato.pem \(SHA256:[^)]*\) does not hold'
approve plan.json sato
is "an RSA key signs" "$status $(jq -c '[.muster.signatures[].Algorithm] | sort | unique' "$work/plan.json")" '0 ["ed25519","rsa-pss-sha256"]'
jq -c '.muster.unchanged = 7' "$work/plan.json" >"$work/edited.json"
muster apply "$work/edited.json"
refused "a plan that was edited after it was signed" 'was changed after it was made'
forge plan.json remade.json '.muster.unchanged = 7'
muster apply "$work/remade.json"
refused "... with its digest made anew" 'approvers/kato.pem.* does not hold: it is of another plan, or the plan was changed after it was signed'
forge plan.json future.json '.muster.created_ms += 3600000 | .timestamp = (.muster.created_ms / 1000 | floor | todate)'
muster apply "$work/future.json"
refused "a plan of the time to come" 'which is still to come'
jq -c '.muster.signatures = 1' "$work/plan.json" >"$work/shape.json"
muster show "$work/shape.json"
is "signatures that are none are refused" "$status" 1
like "... saying so" "$err" 'signatures: expected a list of signatures'
is "show still reads the signed plan" "$(muster show "$work/plan.json" && echo "$status")" 0
muster approve "$work/plan.json" --check --first-apply
is "enough of the list: approve --check says so" "$status" 0
like "... and of how many" "$out" 'approvals +2, required 2'
is "... and nothing was changed" "$(topics | wc -l) $(generation)" "$held"
muster approve "$work/plan.json" --check --key "$keys/kato.pem" --out "$work/none.sig"
is "--out and --check do not go together" "$status" 1
echo >>"$specs/stacks/one.json"
git -C "$specs" commit -qam "Two"
muster apply "$work/plan.json"
refused "specs that have changed since" 'the specs are not those that this plan was approved for'
git -C "$specs" reset -q --hard HEAD~1
muster apply "$work/plan.json" --first-apply
is "two of the list, and it is applied" "$status $(topics | wc -l) $(generation)" "0 4 1"
like "... with a word about the one that does not count" "$err" 'enough others have approved this plan, but'
is "... and who approved is kept" \
	"$("$muster" -C "$specs" log --json | jq -r '.[0].Facts.Approvals | map(.Comment | split(" ")[0]) | sort | join(" ")')" \
	"approvers/kato.pem approvers/sato.pem"
hold
muster apply "$work/plan.json"
refused "the same plan again" 'applied already, as generation 1'
muster approve "$work/plan.json" --check
refused "... nor would it be, says approve --check" 'applied already, as generation 1'

# -- A branch cannot choose its judges --
git -C "$specs" checkout -q -b branch
cp "$keys/mallory.pub.pem" "$specs/approvers/mallory.pem"
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/mallory.pem"]}'
topic two
fleet_commit "$specs" "A key of one's own"
plan_to own.json
like "a plan says what it changes in who must approve" "$out" \
	'this changes who must approve plans from then on: Required: 2 -> 1; new key: approvers/mallory.pem \(SHA256:[^)]*\); no longer: approvers/kato.pem'
approve own.json mallory
muster apply "$work/own.json"
refused "a key that the branch itself adds" 'not in Approval.Keys of the specs of generation 1'
edit muster.json 'del(.Approval)'
fleet_commit "$specs" "No approval at all"
muster apply --auto-approve
refused "a branch that drops approval" 'Approval.Required is 2'
plan_to dropped.json
forge dropped.json silent.json '.muster.notes = []'
approve silent.json kato
approve silent.json sato
muster apply "$work/silent.json"
refused "a plan that does not say that it drops approval" 'does not say what whoever approves it must know .this changes who must approve plans from then on: Required: 2'
git -C "$specs" checkout -q main

# -- Not committed --
topic two
plan_to dirty.json
approve dirty.json kato
like "who signs specs that are not committed is told" "$err" 'were not committed: apply will refuse it'
approve dirty.json sato
muster apply "$work/dirty.json" --auto-approve
refused "specs that are not committed" 'were not committed, so nobody can have reviewed them'
muster apply "$work/dirty.json" --auto-approve --allow-dirty
refused "... nor does --allow-dirty get round it" 'were not committed'

# -- Signing apart, with a passphrase, with a squash merge --
fleet_commit "$specs" "Two topics"
git -C "$specs" checkout -q -b review
git -C "$specs" commit -q --allow-empty -m "A commit that the merge will squash"
plan_to plan.json
git -C "$specs" checkout -q main
git -C "$specs" branch -q -D review
MUSTER_KEY_PASSPHRASE=shut approve plan.json ito
is "a wrong passphrase" "$status" 1
like "... is said" "$err" 'the passphrase does not open the key'
run setsid "$muster" approve "$work/plan.json" --key "$keys/ito.pem"
like "without a passphrase and a terminal" "$err" 'there is no terminal to ask for its passphrase; set MUSTER_KEY_PASSPHRASE'
MUSTER_KEY_PASSPHRASE=open approve plan.json ito --out "$work/ito.sig"
is "a signature can have a file of its own" "$status $(jq -r .Algorithm "$work/ito.sig") $(jq '.muster | has("signatures")' "$work/plan.json")" \
	"0 ecdsa-sha256 false"
approve plan.json kato --out "$work/kato.sig"
muster approve "$work/own.json" --add "$work/kato.sig"
is "a signature of another plan is not added" "$status" 1
like "... saying so" "$err" 'a signature of another plan'
echo '{}' >"$work/none.sig"
muster approve "$work/plan.json" --add "$work/none.sig"
like "nor what is none" "$err" 'not a signature that muster approve --out or ssh-keygen'
muster approve "$work/plan.json" --add "$work/kato.sig" --add "$work/ito.sig"
is "two that were made apart are put together" "$status $(jq '.muster.signatures | length' "$work/plan.json")" "0 2"
muster apply "$work/plan.json"
is "the commit is gone, its tree is what counts" "$status $(topics | wc -l) $(generation)" "0 8 2"

# -- Stale, and not stale --
hold
topic one '.Properties.DisplayName = "changed"'
fleet_commit "$specs" "A name"
plan_to a.json --only '*/one/*'
plan_to b.json --only 'app/*/one/*'
for plan in a b; do
	approve $plan.json kato
	approve $plan.json sato
done
muster apply "$work/b.json"
is "one of two plans is applied" "$status" 0
hold
muster apply "$work/a.json"
refused "what another apply has changed since" 'app/eu-west-1/one/Topic, which this plan changes, has changed since the plan was made'
plan_to d.json --only 'web/eu-west-1/one/*'
plan_to e.json --only 'web/us-east-1/one/*'
for plan in d e; do
	approve $plan.json kato
	approve $plan.json sato
done
muster apply "$work/d.json"
muster apply "$work/e.json"
is "an apply of something else does not make a plan stale" "$status" 0

# -- Expired --
edit muster.json '.Approval.MaxAge = "2s" | .Approval.Required = 1'
fleet_commit "$specs" "Two seconds"
topic four
fleet_commit "$specs" "Four"
plan_to plan.json
like "what changes in the rules is said before it counts" "$out" 'Required: 2 -> 1; MaxAge: .* -> "2s"'
approve plan.json kato
approve plan.json sato
sleep 2.2
muster apply "$work/plan.json"
is "an age that is not in force yet does not count" "$status" 0
hold
topic five
fleet_commit "$specs" "Five"
plan_to plan.json
approve plan.json kato
sleep 2.2
muster apply "$work/plan.json"
refused "a plan that is too old" 'this plan has expired: it was made at .* and Approval.MaxAge in the specs of generation [0-9]+ is 2s'
plan_to plan.json
approve plan.json sato
edit muster.json '.Approval.MaxAge = "10y"'
muster validate
like "a length of time is checked" "$err" 'muster.json:[0-9]+:[0-9]+: Approval.MaxAge: must be a length of time'
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/kato.pem"], MaxAge: "1h", NotAuthor: true}'
muster validate
like "NotAuthor wants addresses" "$err" 'Approval.Keys\[0\]: with NotAuthor each key needs an e-mail address'
edit muster.json '.Approval = {Required: 2, Keys: ["approvers/kato.pem", {File: "approvers/kato.pem"}]}'
muster validate
is "two entries of one key are one approver" "$status" 1
like "... so this could never be met" "$err" 'Required is 2, but Keys are only 1 different ones'
cp "$keys/kato.pem" "$specs/approvers/oops.pem"
edit muster.json '.Approval = {Required: 1, Keys: ["approvers/oops.pem"]}'
muster validate
like "a private key among the public ones is noticed" "$err" 'approvers/oops.pem: holds a private key'
rm "$specs/approvers/oops.pem"
git -C "$specs" checkout -q .

# -- NotAuthor --
edit muster.json '.Approval = {Required: 1, NotAuthor: true, Keys: [{File: "approvers/kato.pem", Email: "test@example.com"},
	{File: "approvers/sato.pem", Email: "Sato@example.com"}]}'
fleet_commit "$specs" "Authors do not approve"
plan_to plan.json
approve plan.json kato
muster apply "$work/plan.json"
is "a rule that is not in force yet does not count" "$status" 0
hold
topic six
fleet_commit "$specs" "Six

Co-authored-by: Sato <SATO@example.com>"
plan_to plan.json
approve plan.json kato
is "whoever wrote a change can sign its plan" "$status" 0
like "... but is told that it will not count" "$err" 'who signs with the key SHA256:[^ ]* wrote commits of this change, and Approval.NotAuthor is set'
like "... and is shown by the address of the list, which a PEM key has none of" "$out" 'signed by +SHA256:[^ ]* test@example.com'
muster apply "$work/plan.json"
refused "who wrote the change" 'the signature of test@example.com .* does not count: who signed also wrote commits of this change \(NotAuthor\)'
approve plan.json sato
muster apply "$work/plan.json"
refused "... or helped to" 'the signature of sato@example.com .* does not count'
like "... which leaves nobody, and no hint that cannot help" "$err" \
	'signed by nobody of the list; no listed key is left that may sign: with NotAuthor, 2 of 2 may not, since they wrote commits of this change$'
git -C "$specs" commit -q --amend -m "Six"
plan_to plan.json
approve plan.json sato
unlike "somebody else is not warned" "$err" 'will not count'
muster apply "$work/plan.json"
is "... and may" "$status" 0

# -- A rollback --
hold
muster rollback 1 --out "$work/back.json"
is "going back to before all these rules is a plan" "$status" 0
muster apply "$work/back.json"
refused "... which the rules of today are for" 'nobody has signed it, and the specs of generation [0-9]+ require 1 of 2 keys'
approve back.json kato
muster apply "$work/back.json"
is "... and who may sign today approves it" "$status $(topics | wc -l)" "0 4"
topic six
fleet_commit "$specs" "Six again"
plan_to plan.json
hold
muster apply "$work/plan.json"
refused "after it the rules are still those of the newest generation that is no rollback" 'require 1 of 2 keys; who still may: sato@example.com'
approve plan.json sato
muster apply "$work/plan.json"
is "... as is who may sign" "$status" 0

# -- Keys of OpenSSH --
if command -v ssh-keygen >/dev/null; then
	for type in ed25519 rsa ecdsa; do
		ssh-keygen -q -t $type -N '' -C "$type@example.com" -f "$keys/$type"
	done
	edit muster.json ".Approval = {Required: 3, Keys: [\"$(cat "$keys/ed25519.pub")\", \"approvers/rsa.pub\",
		{Key: \"$(cat "$keys/ecdsa.pub")\"}, {File: \"approvers/sato.pem\", Email: \"sato@example.com\"}]}"
	cp "$keys/rsa.pub" "$specs/approvers/rsa.pub"
	GIT_AUTHOR_EMAIL=other@example.com GIT_COMMITTER_EMAIL=other@example.com fleet_commit "$specs" "SSH keys"
	plan_to plan.json
	like "new keys are named by who holds them" "$out" 'new key: ed25519@example.com \(SHA256:'
	approve plan.json sato
	muster apply "$work/plan.json"
	is "keys of OpenSSH come into the list, by a plan that changes nothing else" "$status" 0
	like "... as it says" "$out" 'Applied: nothing'
	topic eight
	fleet_commit "$specs" "Eight"
	plan_to plan.json
	run "$muster" approve "$work/plan.json" --key "$keys/ed25519"
	is "an OpenSSH key signs through ssh-keygen" "$status $(jq -r '.muster.signatures[0] | .Algorithm + " " + .Comment' "$work/plan.json")" \
		"0 sshsig ed25519@example.com"
	is "... under the fingerprint that ssh-keygen prints" "$(jq -r '.muster.signatures[0].Key' "$work/plan.json")" \
		"$(ssh-keygen -lf "$keys/ed25519.pub" | cut -d' ' -f2)"
	eval "$(ssh-agent -s)" >/dev/null
	ssh-add -q "$keys/rsa"
	cp "$keys/rsa.pub" "$work/agent.pub"
	run "$muster" -C "$specs" approve "$work/plan.json" --key "$work/agent.pub"
	is "a key in an agent signs by its .pub file" "$status" 0
	kill "$SSH_AGENT_PID"
	unset SSH_AUTH_SOCK SSH_AGENT_PID
	hold
	muster apply "$work/plan.json"
	refused "two of three" '2 of the 3 approvals that the specs of generation [0-9]+ require'
	printf 'muster plan approval\n%s\n' "$(jq -r .muster.digest "$work/plan.json")" |
		ssh-keygen -q -Y sign -n file -f "$keys/ecdsa" >"$work/other.sig" 2>/dev/null
	muster approve "$work/plan.json" --add "$work/other.sig"
	like "a signature for another purpose is none" "$err" 'this is no signature of this plan'
	printf 'muster plan approval\n%s\n' "$(jq -r .muster.digest "$work/plan.json")" |
		ssh-keygen -q -Y sign -n muster-plan -f "$keys/ecdsa" >"$work/ecdsa.sig" 2>/dev/null
	muster approve "$work/plan.json" --add "$work/ecdsa.sig"
	is "one that ssh-keygen made by itself is added" "$status" 0
	muster apply "$work/plan.json"
	is "... and all three count" "$status" 0
	# Who signed a commit wrote it, whatever name stands in it.
	edit muster.json ".Approval = {Required: 1, NotAuthor: true, Keys: [\"$(cat "$keys/ed25519.pub")\"]}"
	fleet_commit "$specs" "One key"
	plan_to plan.json
	for key in ed25519 rsa ecdsa; do run "$muster" approve "$work/plan.json" --key "$keys/$key"; done
	muster apply "$work/plan.json"
	is "a list of one key" "$status" 0
	topic nine
	git -C "$specs" add -A
	git -C "$specs" -c gpg.format=ssh -c user.signingkey="$keys/ed25519" commit -q -S -m "Nine, signed"
	plan_to plan.json
	run "$muster" approve "$work/plan.json" --key "$keys/ed25519"
	hold
	muster apply "$work/plan.json"
	refused "the key that signed the commit" 'ed25519@example.com .* does not count: who signed also wrote commits'
	PATH=/nonexistent run "$muster" approve "$work/plan.json" --key "$keys/ed25519"
	like "without ssh-keygen it is said what is missing" "$err" 'needs ssh-keygen \(Debian: openssh-client\)'
	cp "$keys/ed25519.pub" "$work/lone.pub"
	run "$muster" approve "$work/plan.json" --key "$work/lone.pub"
	is "a public key whose private key is nowhere does not sign" "$status" 1
	like "... saying so" "$err" 'lone.pub: ssh-keygen did not sign'
else
	pass "keys of OpenSSH # skip ssh-keygen is not installed"
fi
run "$muster" approve "$work/plan.json"
like "a key must be given" "$err" '\-\-key KEY is missing'
approve plan.json nobody
like "a key that is not there" "$err" 'cannot read the key: No such file'
run "$muster" approve "$work/plan.json" --key "$keys/kato.pub.pem"
like "a public key cannot sign" "$err" 'a public key; signing needs its private key'

done_testing
