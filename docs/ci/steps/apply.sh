#!/bin/sh
# apply.sh: after a merge, applies the plan that was approved, or nothing. That is a plan of the same tree (a squash merge
# makes another commit of it, not another tree):
#
# - where approvals are required: the newest that has them, with the signatures from the pull request's comments;
# - where none are: what a new plan would do has to be the same as what one of them would (same.jq), or as what the pull
#   request's newest plan would, if main has moved on; the new one is applied then, so nothing depends on who could
#   write the old one.
#
# Else nothing is changed, comment.md says why, and plan.json is what would be done: whoever agrees signs it, and runs this
# again. Leaves in $MUSTER_OUT: comment.md, report.json of the apply, plan.json.
. "$(dirname -- "$0")/lib.sh"
mkdir -p "$out"
rm -f "$out"/plan.* "$out"/apply.* "$out/comment.md" "$out/report.json"
tree=$(specs_tree)
# Before anything that can end this: artifacts of a plan that is made here are found by that name.
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'name=muster-plan-%s\n' "$tree" >>"$GITHUB_OUTPUT"
number=$(pull_number)
state_link
aws_enter

# -- Which plan ------------------------------------------------------------------------------------------------------

plan_anew() {
	# Whether there is a plan is what counts: what could not be seen says so in it.
	"$muster" -C "$specs" plan --out "$out/plan.json" --format markdown >"$out/plan.md" 2>"$out/plan.err" || :
	cat "$out/plan.err" >&2
}

# stop REASON: what would be done is planned (unless it was), told, and left to be approved.
stop() {
	say "error: nothing is applied: $1"
	[ -f "$out/plan.err" ] || plan_anew
	{
		printf '### muster apply: nothing was changed\n\n'
		printf '%s\n' "$1" >"$tmp/reason"
		quoted "$tmp/reason"
		if [ -f "$out/plan.json" ]; then
			printf "\nBelow is what would be done now. Its plan is in the artifact \`muster-plan-%s\` of [this run](%s), with the " \
				"$tree" "$(run_url)"
			printf "digest \`%s\`. " "$(jq -r .muster.digest "$out/plan.json")"
			printf 'To have it done: approve it (where that is required), then run this job again.\n\n'
			cat "$out/plan.md"
		else
			printf '\nNor can a new plan be made:\n\n'
			quoted "$out/plan.err"
		fi
	} >"$out/comment.md"
	exit 1
}

choose_signed() {
	index=1
	: >"$tmp/reasons"
	while [ "$index" -le "$candidates" ]; do
		plan=$tmp/candidate-$index.json
		signatures_add "$plan" "$number"
		approve_check "$plan"
		[ "$check" = refused ] || return 0
		sed -e '/^error: /,$!d' -e 's/^error: //' "$tmp/check" >>"$tmp/reasons"
		index=$((index + 1))
	done
	if grep -q 'applied already, as generation' "$tmp/reasons"; then
		say "this plan was applied already"
		exit 0
	fi
	stop "$(awk '!seen[$0]++' "$tmp/reasons" | head -c 4000)"
}

choose_same() {
	plan_anew
	[ -f "$out/plan.json" ] || stop "no plan can be made"
	jq -S -f "$steps/same.jq" "$out/plan.json" >"$tmp/new"
	index=1
	while [ "$index" -le "$candidates" ]; do
		jq -S -f "$steps/same.jq" "$tmp/candidate-$index.json" >"$tmp/old" && cmp -s "$tmp/old" "$tmp/new" && return 0
		index=$((index + 1))
	done
	jq -n -r --slurpfile old "$tmp/old" --slurpfile new "$tmp/new" '
		($old[0].done // {}) as $was | ($new[0].done // {}) as $is
		| [($was + $is) | keys[] | select($was[.] != $is[.])] as $other
		| "the plan that was reviewed would do something else than one that is made now"
		+ (if $other == [] then "" else ": " + ($other[:10] | join(", "))
			+ (if ($other | length) > 10 then " and \(($other | length) - 10) more" else "" end) end)' >"$tmp/reasons"
	stop "$(cat "$tmp/reasons")"
}

candidates_find "$tree" "$number"
[ "$candidates" -gt 0 ] || stop "what was merged (tree $tree) was never planned"
choose_signed
if [ "$check" = unsigned ]; then
	choose_same
	plan=$out/plan.json
else
	cp "$plan" "$out/plan.json"
fi

# -- Notes: git's, of what became of a commit -------------------------------------------------------------------------

remote=${MUSTER_NOTES_REMOTE:-origin}
if [ "$forge" = gitlab ] && [ -z "${MUSTER_NOTES_REMOTE:-}" ]; then
	remote=https://oauth2@$CI_SERVER_HOST/$CI_PROJECT_PATH.git
	cat >"$tmp/askpass" <<-'SH'
		#!/bin/sh
		printf '%s\n' "$MUSTER_GITLAB_TOKEN"
	SH
	chmod 700 "$tmp/askpass"
	export GIT_ASKPASS="$tmp/askpass"
fi

notes_fetch() {
	git -C "$specs" fetch -q "$remote" '+refs/notes/muster:refs/notes/remote-muster' 2>/dev/null || return 0
	git -C "$specs" -c user.name=muster -c user.email=muster@localhost notes --ref=muster merge -q --strategy=union remote-muster
}

notes_push() {
	git -C "$specs" rev-parse --verify --quiet refs/notes/muster >/dev/null || return 0
	for _ in 1 2 3; do
		git -C "$specs" push -q "$remote" refs/notes/muster 2>"$tmp/push" && return 0
		notes_fetch || :
	done
	say "warning: the notes could not be pushed: $(head -c 300 "$tmp/push"); the next run tries again"
}

# -- Applying ---------------------------------------------------------------------------------------------------------

# Whoever cancels the job stops muster as Ctrl-C does: what is under way ends, and is recorded.
run_apply() {
	mkfifo "$tmp/stderr"
	tee "$out/apply.err" <"$tmp/stderr" >&2 &
	tee=$!
	"$muster" -C "$specs" apply "$plan" --auto-approve --lock-timeout 600 2>"$tmp/stderr" &
	apply=$!
	trap 'kill -TERM "$apply"' INT TERM
	while :; do
		status=0
		wait "$apply" || status=$?
		kill -0 "$apply" 2>/dev/null || break
	done
	trap 'exit 130' INT
	trap 'exit 143' TERM
	wait "$tee" || :
}

# A copy of the state for those who only plan, who must not be able to write the state itself.
state_publish() {
	[ -n "${MUSTER_STATE_COPY:-}" ] || return 0
	if ! { cp "$MUSTER_STATE/data.mdb" "$MUSTER_STATE_COPY/data.mdb.new" &&
		chmod 0640 "$MUSTER_STATE_COPY/data.mdb.new" &&
		mv -f "$MUSTER_STATE_COPY/data.mdb.new" "$MUSTER_STATE_COPY/data.mdb"; }; then
		say "warning: the state could not be copied to $MUSTER_STATE_COPY: plans are made from an old one until it is"
	fi
}

notes_fetch || say "warning: the notes of $remote could not be merged"
before=$(generation)
run_apply
after=$(generation)
if [ "$after" -gt "$before" ]; then
	"$muster" -C "$specs" show --apply "$after" --format markdown >"$out/comment.md"
	"$muster" -C "$specs" show --apply "$after" --format json >"$out/report.json"
else
	{
		printf '### muster apply: %s\n\n' "$([ "$status" -eq 0 ] && echo 'there was nothing to do' || echo 'nothing was changed')"
		[ ! -s "$out/apply.err" ] || quoted "$out/apply.err"
	} >"$out/comment.md"
fi
notes_push
state_publish
exit "$status"
