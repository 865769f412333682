#!/bin/sh
# plan.sh: plans what is checked out, for a pull request. Leaves in $MUSTER_OUT: plan.json, plan.html, plan.md,
# comment.md. Ends with 0 where there is a plan, with or without changes, and with 1 where there is none or part of the
# fleet could not be seen; comment.md is there in each case.
. "$(dirname -- "$0")/lib.sh"
mkdir -p "$out"
rm -f "$out"/plan.* "$out/comment.md"
base=${MUSTER_BASE:-}
if [ -z "$base" ]; then
	case $forge in
	github) base=${GITHUB_BASE_REF:+origin/$GITHUB_BASE_REF} ;;
	gitlab) base=${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:+origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME} ;;
	esac
fi
state_link
aws_enter

set -- --out "$out/plan.json" --detailed-exitcode --format markdown
[ -z "$base" ] || set -- "$@" --base "$base"
status=0
"$muster" -C "$specs" plan "$@" >"$out/plan.md" 2>"$out/plan.err" || status=$?
cat "$out/plan.err" >&2

how_to_approve() {
	digest=$(jq -r .muster.digest "$out/plan.json")
	cat <<-TEXT

		<details><summary>Plan <code>$(printf %.12s "$digest")</code> of tree <code>$(printf %.12s "$tree")</code>: look closer, approve</summary>

		The artifact \`muster-plan-$tree\` of [this run]($(run_url)) has the plan for a browser (\`plan.html\`) and the plan
		itself (\`plan.json\`). Where approvals are required, sign it and put what is in \`my.sig\` into a comment here:

		\`\`\`
		muster show plan.json
		muster approve plan.json --key KEY --out my.sig
		\`\`\`

		or, without muster: \`printf 'muster plan approval\n%s\n' $digest | ssh-keygen -Y sign -n muster-plan -f KEY\`
		</details>
	TEXT
}

{
	if [ -f "$out/plan.json" ]; then
		tree=$(jq -r '.muster.tree // "none"' "$out/plan.json")
		[ "$status" -ne 1 ] || printf '**Part of the fleet could not be seen: this is no proof that nothing would change.**\n\n'
		cat "$out/plan.md"
		how_to_approve
	else
		printf '### muster plan: failed\n\n'
	fi
	if [ -s "$out/plan.err" ] && { [ ! -f "$out/plan.json" ] || grep -qE '^(error|warning): ' "$out/plan.err"; }; then
		printf '\n<details><summary>What muster said</summary>\n\n'
		quoted "$out/plan.err"
		printf '</details>\n'
	fi
} >"$out/comment.md"
if [ -f "$out/plan.json" ]; then
	"$muster" -C "$specs" show --format html "$out/plan.json" >"$out/plan.html"
	[ -z "${GITHUB_OUTPUT:-}" ] || printf 'name=muster-plan-%s\n' "$tree" >>"$GITHUB_OUTPUT"
fi
case $status in
0) say "nothing would change" ;;
2) say "there are changes" ;;
*) exit 1 ;;
esac
