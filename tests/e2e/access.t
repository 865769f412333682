#!/bin/bash
# How muster gets into accounts: credentials from all the places that the SDKs know, chains of roles, and what it says
# when it does not get in.
# shellcheck disable=SC2016 # muster's own ${AccountId}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
specs_make "$specs"
stack alerts <<'JSON'
{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts" } } } }
JSON
# A role that a web identity may assume, and one in the jump account on the way.
jq '.Roles = [
	{Account: "999999999999", Name: "ci", Trust: ["web-identity"]},
	{Account: "999999999999", Name: "step", Trust: ["999999999999"]},
	{Account: "111111111111", Name: "security-admin", Trust: ["999999999999"]},
	{Account: "111111111111", Name: "security-readonly", Trust: ["999999999999"], ReadOnly: true}]' \
	"$work/sandbox.json" >"$work/roles.json"
sandbox_start "$specs/accounts.json" --config "$work/roles.json"
jump_key=$AWS_ACCESS_KEY_ID jump_secret=$AWS_SECRET_ACCESS_KEY
# as [NAME=VALUE]... COMMAND...: muster without any credentials but these
as() {
	local -a set=()
	while [[ ${1-} == *=* ]]; do
		set+=("$1")
		shift
	done
	run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "${set[@]}" "$muster" -C "$specs" "$@"
}

# -- Chains --
muster access
is "every account is entered by the chain" "$status" 0
like "... the security account by the chain's last role" "$out" '^security +111111111111 +ok +arn:aws:sts::111111111111:assumed-role/security-admin/muster, 2 regions'
like "... the others by their own" "$out" '^app +222222222222 +ok +arn:aws:sts::222222222222:assumed-role/from-security/muster, 2 regions'
is "... the chain is entered once for all" "$(sandbox_calls '.Operation["sts:AssumeRole"]')" 3
muster access --json
is "access --json is for programs" "$(jq -c '[.[] | select(.account == "web") | .id, .identity, .regions]' <<<"$out")" \
	'["333333333333","arn:aws:sts::333333333333:assumed-role/from-security/muster",2]'
edit muster.json '.Access.SessionName = "me" | .Access.Chain = ["arn:aws:iam::999999999999:role/step"] + .Access.Chain'
muster access
is "a chain may be longer" "$status" 0
like "... with a session name" "$out" 'assumed-role/from-security/me'
edit muster.json '.Access.Chain = ["arn:aws:iam::111111111111:role/security-amdin"]'
muster access --json
is "a role that is not there fails every account" "$status $(jq '[.[].error | strings] | length' <<<"$out")" "1 3"
like "... who wanted to become whom, and what AWS said" "$out" \
	'environment variables could not assume arn:aws:iam::111111111111:role/security-amdin.*User: arn:aws:iam::999999999999:user/jump is not authorized to perform: sts:AssumeRole'
like "... and how many" "$err" '3 of 3 accounts cannot be entered'
edit muster.json '.Access.Chain = ["arn:aws:iam::111111111111:role/security-admin"] | .Access.Role = "arn:aws:iam::222222222222:role/from-security"'
muster access
is "a role in another account than the one that is meant is refused" "$status" 1
like "... the account that it does fit is entered" "$out" '^app .* ok '
like "... the other is not" "$out" '^web .*FAILED.*role/from-security is in another account'
muster plan
is "... and a plan does not start" "$status" 1
like "... which account it is" "$err" 'web.*role/from-security is in another account'
edit muster.json '.Access.Role = "arn:aws:iam::${AccountId}:role/from-security"'

# -- Reading and writing --
edit muster.json '.Access += {PlanChain: ["arn:aws:iam::111111111111:role/security-readonly"], PlanRole: "arn:aws:iam::${AccountId}:role/from-security-readonly"}'
muster access --plan-role
like "PlanChain and PlanRole are for reading" "$out" '^app .* ok .*assumed-role/from-security-readonly/'
muster plan --out "$work/plan.json"
is "a plan reads by them" "$status" 0
is "... and writes nowhere on the way" "$(sandbox_get stats | grep -c 'security-admin')" 0
edit muster.json '.Access.Chain = .Access.PlanChain'
muster plan --out "$work/readonly.json"
is "a readonly chain makes a plan" "$status" 0
muster apply "$work/readonly.json"
is "... and cannot apply it" "$status" 1
like "... as the message says" "$out$err" 'security-readonly/me could not assume +arn:aws:iam::222222222222:role/from-security'
is "... nothing was made" "$(topics)" ""
edit muster.json '.Access.Chain = ["arn:aws:iam::111111111111:role/security-admin"]'
muster apply --auto-approve
is "the real chain can" "$status $(topics | wc -l)" "0 2"

# -- Base credentials --
mkdir "$work/aws"
cat >"$work/aws/config" <<EOF_CONFIG
[default]
region = eu-west-1
[profile deep]
role_arn = arn:aws:iam::999999999999:role/step
source_profile = deeper
[profile deeper]
role_arn = arn:aws:iam::999999999999:role/step
source_profile = keys
[profile process]
credential_process = "$work/process" with 'an argument'
[profile broken-process]
credential_process = echo trouble >&2; exit 3
[profile circle]
role_arn = arn:aws:iam::999999999999:role/step
source_profile = circle2
[profile circle2]
role_arn = arn:aws:iam::999999999999:role/step
source_profile = circle
EOF_CONFIG
cat >"$work/aws/credentials" <<EOF_CREDENTIALS
[keys]
aws_access_key_id = $jump_key
aws_secret_access_key = $jump_secret
EOF_CREDENTIALS
cat >"$work/process" <<EOF_PROCESS
#!/bin/sh
[ "\$1 \$2" = "with an argument" ] || exit 1
echo '{"Version": 1, "AccessKeyId": "$jump_key", "SecretAccessKey": "$jump_secret"}'
EOF_PROCESS
chmod +x "$work/process"
files=(AWS_CONFIG_FILE="$work/aws/config" AWS_SHARED_CREDENTIALS_FILE="$work/aws/credentials")
as "${files[@]}" AWS_PROFILE=keys access
is "keys of a profile" "$status" 0
as "${files[@]}" AWS_PROFILE=deep access
is "role_arn and source_profile, over two profiles" "$status" 0
as "${files[@]}" AWS_PROFILE=process access
is "credential_process" "$status" 0
as "${files[@]}" AWS_PROFILE=broken-process access
is "a credential_process that fails" "$status" 1
like "... is named" "$out" 'profile "broken-process": credential_process failed with exit status 3'
like "... with what it said" "$err" 'trouble'
as "${files[@]}" AWS_PROFILE=circle access
is "profiles in a circle" "$status" 1
like "... are said to be" "$out$err" 'circle'
as "${files[@]}" AWS_PROFILE=kyes access
is "a profile that is not there" "$status" 1
like "... is named" "$out" '"?kyes"?'
edit accounts.json '.Accounts[1].Profile = "deep"'
as "${files[@]}" AWS_PROFILE=process access
is "an account with a profile of its own" "$status" 0
edit accounts.json 'del(.Accounts[1].Profile)'
echo a-token >"$work/token"
as AWS_WEB_IDENTITY_TOKEN_FILE="$work/token" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/ci access
is "a web identity" "$status" 0
as AWS_WEB_IDENTITY_TOKEN_FILE="$work/none" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/ci access
is "a web identity without a token" "$status" 1
like "... says which file" "$out" "$work/none"
as AWS_WEB_IDENTITY_TOKEN_FILE="$work/token" AWS_ROLE_ARN=arn:aws:iam::999999999999:role/step access
is "a web identity that the role does not trust" "$status" 1
like "... says so" "$out" 'AssumeRoleWithWebIdentity'

# A container's, with a token in a file.
cat >"$work/container.py" <<'EOF_PYTHON'
import http.server, json, os, sys

class Container(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.headers.get("Authorization") == "let me in"
        body = json.dumps({"AccessKeyId": os.environ["KEY"], "SecretAccessKey": os.environ["SECRET"], "Token": None,
                           "Expiration": "2999-01-01T00:00:00Z"} if right else {"message": "who are you"}).encode()
        self.send_response(200 if right else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Container)
print(server.server_port, flush=True)
server.serve_forever()
EOF_PYTHON
KEY=$jump_key SECRET=$jump_secret python3 "$work/container.py" >"$work/port" &
container=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.05; done
printf 'let me in' >"$work/authorization"
as AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:$(<"$work/port")/creds" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$work/authorization" access
is "a container's credentials" "$status" 0
as AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:$(<"$work/port")/creds" AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong access
is "a container that refuses" "$status" 1
like "... and what it said" "$out" '401|who are you'
as AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/creds access
is "a container's address that is not of this machine is refused" "$status" 1
like "... as it must be" "$out" 'AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine'
kill $container

# -- What does not work --
as access
is "no credentials at all" "$status" 1
like "... the message says what was tried: the environment" "$out" 'AWS_ACCESS_KEY_ID'
like "... the files" "$out" '/dev/null|profile'
like "... the metadata service" "$out" 'metadata|AWS_EC2_METADATA_DISABLED'
as plan
is "... and a plan does not start" "$status" 1
as AWS_ACCESS_KEY_ID=$jump_key AWS_SECRET_ACCESS_KEY=wrong access
is "a wrong secret" "$status" 1
like "... AWS's own words" "$out" 'SignatureDoesNotMatch'
as AWS_ACCESS_KEY_ID=AKIANOBODY AWS_SECRET_ACCESS_KEY=wrong access
is "a key that nobody has" "$status" 1
like "... AWS's own words" "$out" 'InvalidClientTokenId'
as AWS_ACCESS_KEY_ID=$jump_key access
is "a key without its secret is an error, not the next place" "$status" 1
like "... which says what is missing" "$out" 'AWS_SECRET_ACCESS_KEY'
unlike "no secret is ever shown" "$(cat "$work/out" "$work/err")" "$jump_secret"
edit muster.json 'del(.Access)'
as AWS_ACCESS_KEY_ID=AKIA$app AWS_SECRET_ACCESS_KEY=outsider-secret access
like "without roles the base credentials are asked whose they are" "$out" '^app .* ok .*user/outsider'
like "... and kept from every other account" "$out" '^web .*FAILED.*222222222222'
specs_make "$specs"

# -- Endpoints --
real=$AWS_ENDPOINT_URL
as AWS_ACCESS_KEY_ID=$jump_key AWS_SECRET_ACCESS_KEY=$jump_secret AWS_ENDPOINT_URL=http://127.0.0.1:1 \
	AWS_ENDPOINT_URL_STS="$real" AWS_ENDPOINT_URL_EC2="$real" AWS_ENDPOINT_URL_SNS="$real" plan --detailed-exitcode
is "AWS_ENDPOINT_URL_<SERVICE> is stronger than AWS_ENDPOINT_URL" "$status" 0
as AWS_ACCESS_KEY_ID=$jump_key AWS_SECRET_ACCESS_KEY=$jump_secret AWS_MAX_ATTEMPTS=1 AWS_ENDPOINT_URL_SNS=http://127.0.0.1:1 plan --out "$work/plan.json"
is "a service that cannot be reached does not stop the plan" "$status $(planned "$work/plan.json" true)" "0 "
like "... it is named" "$out" '127.0.0.1:1'
cat >>"$work/aws/config" <<EOF_CONFIG
[profile local]
services = here
aws_access_key_id = $jump_key
aws_secret_access_key = $jump_secret
[services here]
sts =
  endpoint_url = $real
ec2 =
  endpoint_url = $real
sns =
  endpoint_url = $real
EOF_CONFIG
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_ENDPOINT_URL "${files[@]}" AWS_PROFILE=local \
	"$muster" -C "$specs" plan --detailed-exitcode
is "... and so is a profile's services section" "$status" 0
done_testing
