#!/bin/bash
# What muster asks of git before an apply, and what it tells git after: in every kind of repository.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/small.sh"
as_they_are=1
# libgit2 looks here for settings; nobody's own are wanted.
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1
mkdir "$HOME"
git config --file "$HOME/.gitconfig" protocol.file.allow always
export GIT_CONFIG_GLOBAL=$HOME/.gitconfig
unset XDG_CONFIG_HOME

# topic LABEL: one stack of one topic in two accounts
topic() {
	stack alerts <<-JSON
		{ "Targets": { "Accounts": ["tag:project"], "Regions": ["home"] },
		  "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "alerts", "DisplayName": "$1" } } } }
	JSON
}
# commit MESSAGE: what is in $specs
commit() {
	git -C "$specs" add -A . && git -C "$specs" commit -qm "$1"
}
# note [COMMIT]: the note on a commit of $specs
note() {
	git -C "$specs" notes --ref=muster show "${1:-HEAD}" 2>/dev/null
}
# lines: of the note on HEAD, those for machines
lines() {
	note "$@" | grep '^{"muster":' | jq -c .muster
}
# fact JQ-FILTER: of the newest generation's facts
fact() {
	"$muster" -C "$specs" log --json | jq -c ".[0].Facts | $1"
}
specs_make "$work/specs"
topic 1
sandbox_start "$specs/accounts.json" --config "$work/sandbox.json"

# -- Committed or not --
muster apply --auto-approve
is "without a repository nothing is applied" "$status $(topics)" "1 "
like "... with what to do about it" "$err" "are in no git repository.*muster -C .*specs init.*\(so does git init\).*--allow-dirty"
is "... and no state is changed" "$(muster log --json; jq length <<<"$out")" 0
muster init
is "init makes a repository around specs that are there" "$status $(git -C "$specs" rev-parse --show-toplevel)" "0 $specs"
muster apply --auto-approve
is "specs that were never committed are not applied" "$status" 1
like "... they are named" "$err" "not committed as they are now: accounts.json, muster.json, stacks/alerts.json; git add and git commit them"
commit "One"
echo "note to self" >"$specs/TODO"
muster apply --auto-approve
is "committed specs are, whatever else lies there" "$status $(topics | wc -l)" "0 2"
is "... and no word of --allow-dirty" "$(fact '[.Dirty, .AllowDirty]')" "[false,null]"
topic 2
muster apply --auto-approve
is "an edit that is not committed is not applied" "$status" 1
like "... it is named" "$err" "not committed as it is now: stacks/alerts.json; git add and git commit it; or apply with --allow-dirty"
muster plan --out "$work/dirty.json"
like "... for apply --allow-dirty" "$err" "apply exactly this with: .* --allow-dirty$"
uncommitted='Made from specs that are not committed (stacks/alerts.json): apply refuses it without --allow-dirty'
is "its plan says so" "$(grep -cF "$uncommitted" <<<"$out")" 1
is "... also in the file" "$(jq -c .muster.uncommitted "$work/dirty.json")" '["stacks/alerts.json"]'
muster show "$work/dirty.json"
is "... and when it is shown" "$(grep -cF "$uncommitted" <<<"$out")" 1
muster plan --out "$work/dirty.json"
is "... but planned" "$status" 0
muster apply "$work/dirty.json"
is "... such a plan is not applied" "$status" 1
like "... and says why" "$err" "the plan was made from specs that were in no commit: git add and git commit them and plan again"
commit "Two"
muster apply "$work/dirty.json"
is "... nor when they are committed later" "$status" 1
muster plan --out "$work/clean.json"
topic 3
muster apply "$work/clean.json"
is "a plan of a commit is applied, whatever was edited since" "$status" 0
muster apply --auto-approve --allow-dirty
is "--allow-dirty applies what is not committed" "$status" 0
is "... which the generation says" "$(fact '[.Dirty, .AllowDirty]')" "[true,true]"
like "... and the note" "$(note)" "the specs were not as this commit has them \(--allow-dirty\)"
for i in $(seq 20); do echo >"$specs/stacks/new$i.txt"; done
muster apply --auto-approve
like "of many files some are named" "$err" "stacks/new1[0-9].txt and 13 more; git add"
rm "$specs"/stacks/new*.txt
echo '*.json' >"$specs/stacks/.gitignore"
cp "$specs/stacks/alerts.json" "$specs/stacks/hidden.json"
commit "Three"
muster apply --auto-approve
is "a stack that git ignores is not committed" "$status" 1
like "... it is named" "$err" "not committed as it is now: stacks/hidden.json;"
rm "$specs/stacks/hidden.json" "$specs/stacks/.gitignore"
mkdir "$specs/files"
echo built >"$specs/files/built.txt"
echo 'built.txt' >"$specs/files/.gitignore"
edit stacks/alerts.json '.Resources.Topic.Properties.DisplayName = {"Muster::File": "files/built.txt"}'
commit "Four"
muster apply --auto-approve
is "so is a file that a stack uses" "$status" 1
like "... which is said" "$err" "error: the plan was made from specs that were in no commit"
like "... it is named" "$err" "files/built.txt .in no commit; git check-ignore -v says"
rm -r "$specs/files"
topic 4
commit "Five"
muster apply --auto-approve
is "committed again it goes on" "$status" 0

if [ "$(id -u)" -eq 0 ]; then
	topic 5
	chown -R 12345 "$specs"
	muster apply --auto-approve
	is "where git does not trust the repository nothing is applied" "$status" 1
	like "... as nobody knows what is committed" "$err" "whether the specs in .* are committed cannot be told"
	like "... with what to do about it" "$err" "git config --global --add safe.directory $specs\$"
	muster plan --detailed-exitcode
	is "... but planned" "$status" 2
	chown -R 0 "$specs"
	topic 4
fi

# -- Notes --
one=$(git -C "$specs" rev-parse 'HEAD~4')
is "the note of a commit says what became of it" "$(note "$one" | sed -E 's/ in [0-9.]+ (ms|s)$//' | head -1)" \
	"muster generation 1: complete, 2 created"
like "... who did it where and when, under which lineage" "$(note "$one")" \
	"^  by $(id -un) on $(hostname) at 20[0-9-]+T[0-9:]+Z, plan [0-9a-f]{12}, lineage 01SMALLFLEET0000000000000\$"
is "... in a line for machines, too" "$(lines "$one" | jq -c '[.Generation, .Result, .Created, .Failed, .Commit, .Dirty, .Lineage]')" \
	"[1,\"complete\",2,0,\"$one\",false,\"01SMALLFLEET0000000000000\"]"
is "... with the link of its generation" "$(lines "$one" | jq -r .Hash)" \
	"$("$muster" -C "$specs" log --json | jq -r '.[] | select(.Number == 1) | .Hash')"
like "git log shows it" "$(git -C "$specs" log --notes=muster)" "^    muster generation 1: complete, 2 created"
is "two generations of one commit are both there" "$(lines HEAD~3 | jq -c '[.Generation, .Dirty]' | tr '\n' ' ')" "[2,false] [3,true] "
is "... the plan that was saved by its digest" "$(lines HEAD~3 | jq -r 'select(.Generation == 2) | .PlanDigest')" \
	"$(jq -r .muster.digest "$work/clean.json")"
like "... also for people" "$(note HEAD~3)" ", plan [0-9a-f]{12}, lineage"
is "work tree and index are as they were" "$(git -C "$specs" status --porcelain)" ""
is "an apply without changes adds none" "$(muster apply --auto-approve; note | sha256sum)" "$(note | sha256sum)"

topic 5
commit "Six"
sandbox_post fault '{"Faults": ["operation=SetTopicAttributes,account=333333333333,code=AuthorizationError,status=403,message=no word of 333333333333\nmay do that"]}'
muster apply --auto-approve
is "an apply fails in part" "$status" 1
like "... the note says so" "$(note)" "^muster generation [0-9]+: partial, 1 updated, 1 failed in "
like "... and why, on one line" "$(note)" "^  1 failed: sns:SetTopicAttributes: AuthorizationError: no word of 333333333333 may do that\$"
sandbox_post fault '{"Clear": true}'
muster apply --auto-approve
is "... the next attempt is added" "$(lines | jq -r .Result | tr '\n' ' ')" "partial complete "
is "... after an empty line" "$(note | grep -c '^$')" 1

# Killed in the middle: the next run says it of the commit of the dead one.
topic 6
commit "Seven"
sandbox_post config '{"LatencyMs": 400}'
sets=$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')
"$muster" -C "$specs" apply --auto-approve >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
	[ "$(sandbox_calls '.Operation["sns:SetTopicAttributes"]')" -gt "$sets" ] && break
	sleep 0.02
done
kill -9 "$pid"
wait "$pid" 2>/dev/null
sandbox_post config '{"LatencyMs": 0}'
dead=$(git -C "$specs" rev-parse HEAD)
is "a run that is killed leaves no note" "$(note "$dead")" ""
topic 7
commit "Eight"
muster apply --auto-approve
is "... the next one writes it" "$status $(lines "$dead" | jq -r .Result)" "0 interrupted"
like "... for people" "$(note "$dead")" "^muster generation [0-9]+: interrupted, "
topic 8
commit "Nine"
muster apply --auto-approve
is "... once" "$(lines "$dead" | wc -l)" 1

topic 9
commit "Ten"
touch "$specs/.git/refs/notes/muster.lock"
muster apply --auto-approve
is "an apply that cannot write its note is done all the same" "$status" 0
like "... with a warning" "$err" "warning: no note tells git of generation [0-9]+: .*refs/notes/muster.lock \(the state has it\)"
rm "$specs/.git/refs/notes/muster.lock"
git -C "$specs" rev-parse HEAD >"$work/gone"
topic 10
commit "Eleven"
muster plan --out "$work/amended.json"
gone=$(git -C "$specs" rev-parse HEAD)
git -C "$specs" commit -q --amend -m "Eleven, amended"
git -C "$specs" reflog expire --expire=now --all
git -C "$specs" gc -q --prune=now
muster apply "$work/amended.json"
is "where the commit is gone the note goes to the one that is checked out, with the same tree" \
	"$status $(lines | jq -c '[.Result, .Commit, .PlanCommit]')" \
	"0 [\"complete\",\"$(git -C "$specs" rev-parse HEAD)\",\"$gone\"]"
unlike "... and nothing to warn of" "$err" "warning"
muster plan --destroy --out "$work/amended.json"
echo >>"$specs/accounts.json"
git -C "$specs" commit -qa --amend -m "Eleven, amended again"
git -C "$specs" reflog expire --expire=now --all
git -C "$specs" gc -q --prune=now
muster apply "$work/amended.json"
is "where nothing has its tree there is no note" "$status $(note)" "0 "
unlike "... and nothing to warn of" "$err" "warning"

# -- Kinds of repositories: each with a state of its own that goes back to nothing --
muster apply --destroy --auto-approve --allow-dirty
is "all is deleted" "$status $(topics)" "0 "
original=$specs
try() {
	local name=$1
	specs=$2
	muster apply --auto-approve
	is "$name: applied" "$status $(topics | wc -l)" "0 2"
	is "$name: the note is on the commit" "$(lines | jq -c '[.Generation, .Created, .Dirty]')" "[1,2,false]"
	is "$name: the commit is recorded" "$(fact '[.Commit, .Dirty]')" "[\"$(git -C "$specs" rev-parse HEAD)\",false]"
	echo >>"$specs/accounts.json"
	muster apply --auto-approve
	like "$name: an edit is seen" "$status $err" "^1 error: not committed as it is now: accounts.json;"
	muster apply --destroy --auto-approve --allow-dirty
	is "$name: deleted again" "$status $(topics)" "0 "
	is "$name: both are noted" "$(lines | jq -c .Generation | tr '\n' ' ')" "1 2 "
}
fresh() {
	git -C "$original" notes --ref=muster remove HEAD >/dev/null 2>&1
}
fresh
git -C "$original" worktree add -q "$work/tree" -b tree
try "a worktree" "$work/tree"
fresh
git init -q "$work/super"
git -C "$work/super" submodule --quiet add "$original" sub
git -C "$work/super" commit -qm "With a submodule"
try "a submodule" "$work/super/sub"
git clone -q "$original" "$work/detached"
git -C "$work/detached" checkout -q --detach
try "a detached HEAD" "$work/detached"
git clone -q --bare "$original" "$work/hosted.git"
git clone -q "$work/hosted.git" "$work/clone"
try "a clone of a bare repository" "$work/clone"
git -C "$work/clone" push -q origin 'refs/notes/muster:refs/notes/muster'
is "notes can be pushed" "$(git -C "$work/hosted.git" notes --ref=muster list | wc -l)" "$(git -C "$work/clone" notes --ref=muster list | wc -l)"
git init -q "$work/mono"
mkdir -p "$work/mono/teams/security/aws"
cp -R "$original/stacks" "$original/muster.json" "$original/accounts.json" "$work/mono/teams/security/aws/"
git -C "$work/mono" add -A
git -C "$work/mono" commit -qm "Deep"
echo other >"$work/mono/unrelated"
try "a deep directory" "$work/mono/teams/security/aws"
git clone -q --depth 1 "file://$original" "$work/shallow"
try "a shallow clone" "$work/shallow"

done_testing
