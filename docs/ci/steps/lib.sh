# What the steps share: where things are, the forge's API (GitHub or GitLab), a way into AWS, the state. Sourced.
# shellcheck shell=sh disable=SC2034
set -eu
umask 077

steps=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
specs=${MUSTER_SPECS:-.}
out=${MUSTER_OUT:-muster-out}
muster=${MUSTER:-muster}
keeper=
tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

clean_up() {
	[ -z "$keeper" ] || kill "$keeper" 2>/dev/null || :
	rm -rf "$tmp"
}

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

for tool in curl git jq "$muster"; do
	command -v "$tool" >/dev/null || die "$tool is not installed on this runner"
done

if [ "${GITHUB_ACTIONS:-}" = true ]; then
	forge=github
elif [ "${GITLAB_CI:-}" = true ]; then
	forge=gitlab
else
	forge=none
fi

is_number() {
	case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# -- The forge -------------------------------------------------------------------------------------------------------

# api METHOD PATH [FILE]: the answer on stdout. PATH is below the project, or begins with a slash. The token goes by
# stdin, so that no list of processes shows it, and in a header that curl takes to no other host.
api() {
	api_method=$1 api_path=$2 api_file=${3:-}
	case $forge in
	github)
		api_root=${GITHUB_API_URL:?} api_project=repos/${GITHUB_REPOSITORY:?}
		api_token=${GITHUB_TOKEN:?}
		;;
	gitlab)
		api_root=${CI_API_V4_URL:?} api_project=projects/${CI_PROJECT_ID:?}
		api_token=${MUSTER_GITLAB_TOKEN:?}
		;;
	*) die "neither GITHUB_ACTIONS nor GITLAB_CI is true: there is nobody to ask for $api_path" ;;
	esac
	case $api_path in /*) ;; *) api_path=/$api_project/$api_path ;; esac
	set -- --silent --show-error --globoff --fail-with-body --location --max-time 120 --request "$api_method" --header @- \
		--output "$tmp/answer"
	[ "$api_method" != GET ] || set -- "$@" --retry 3
	[ -z "$api_file" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "@$api_file"
	rm -f "$tmp/answer"
	if printf 'Authorization: Bearer %s\n' "$api_token" | curl "$@" "$api_root$api_path" 2>"$tmp/curl"; then
		cat "$tmp/answer"
		return 0
	fi
	say "error: $api_method $api_path: $(head -c 300 "$tmp/curl") $(jq -r '.message? // empty' "$tmp/answer" 2>/dev/null | head -c 300)"
	return 1
}

# pages PATH FILE: all pages of a list, as one. PATH has its question mark.
pages() {
	page=1
	: >"$tmp/pages"
	while [ "$page" -le 50 ]; do
		api GET "$1&per_page=100&page=$page" >"$tmp/page" || return 1
		cat "$tmp/page" >>"$tmp/pages"
		[ "$(jq length "$tmp/page")" -eq 100 ] || break
		page=$((page + 1))
	done
	jq -s 'add // []' "$tmp/pages" >"$2"
}

# The number of the pull request (merge request) that this is about: of the event; after a merge, the one that brought
# this commit. Nothing where there is none.
pull_number() {
	case $forge in
	github)
		number=$(jq -r '.pull_request.number // .issue.number // empty' "${GITHUB_EVENT_PATH:?}")
		if [ -z "$number" ]; then
			api GET "commits/${GITHUB_SHA:?}/pulls?per_page=100" >"$tmp/pulls"
			number=$(jq -r --arg sha "$GITHUB_SHA" \
				'[.[] | select(.merged_at != null and .merge_commit_sha == $sha)][0].number // empty' "$tmp/pulls")
		fi
		;;
	gitlab)
		number=${CI_MERGE_REQUEST_IID:-}
		if [ -z "$number" ]; then
			api GET "repository/commits/${CI_COMMIT_SHA:?}/merge_requests?per_page=100" >"$tmp/pulls"
			number=$(jq -r '[.[] | select(.state == "merged")][0].iid // empty' "$tmp/pulls")
		fi
		;;
	esac
	[ -z "$number" ] || is_number "$number" || die "not the number of a pull request: $number"
	printf '%s\n' "$number"
}

# comments NUMBER FILE: [{id, body, mine, member}], oldest first. `mine`: the account that these steps comment with wrote
# it. Somebody else may put the mark into a comment of their own, and could change that later.
comments() {
	case $forge in
	github)
		pages "issues/$1/comments?" "$tmp/comments" || return 1
		jq --arg bot "${MUSTER_BOT:-github-actions[bot]}" '[.[] | {id, body: (.body // ""), mine: (.user.login == $bot),
			member: (.author_association | IN("OWNER", "MEMBER", "COLLABORATOR"))}]' "$tmp/comments" >"$2"
		;;
	gitlab)
		api GET /user >"$tmp/user" || return 1
		pages "merge_requests/$1/notes?sort=asc" "$tmp/comments" || return 1
		jq --slurpfile me "$tmp/user" '[.[] | select(.system | not)
			| {id, body: (.body // ""), mine: (.author.id == $me[0].id), member: true}]' "$tmp/comments" >"$2"
		;;
	esac
}

# The page of this run, for a link.
run_url() {
	case $forge in
	github) printf '%s/%s/actions/runs/%s\n' "${GITHUB_SERVER_URL:-}" "$GITHUB_REPOSITORY" "${GITHUB_RUN_ID:-}" ;;
	gitlab) printf '%s\n' "${CI_JOB_URL:-}" ;;
	*) echo 'this run' ;;
	esac
}

# What a program said, for a comment: nothing in it becomes markup, and not more than a comment can take.
quoted() {
	printf '<pre>\n'
	head -c 20000 "$1" | jq -Rrs '@html'
	printf '</pre>\n'
}

# -- State and specs -------------------------------------------------------------------------------------------------

# Puts the state where the specs look for it.
state_link() {
	if [ -z "${MUSTER_STATE:-}" ]; then
		[ "$forge" = none ] && return 0
		die "MUSTER_STATE is not set: the directory on this runner's disk that keeps the state from one run to the next"
	fi
	[ -d "$MUSTER_STATE" ] || die "MUSTER_STATE is $MUSTER_STATE, and this runner has no such directory"
	[ "$(jq -r '.State.Path // ".muster"' "$specs/muster.json")" = .muster ] ||
		die "State.Path in muster.json has to be left out here: MUSTER_STATE says where the state is"
	[ -L "$specs/.muster" ] || [ ! -e "$specs/.muster" ] ||
		die "$specs/.muster is there already, and MUSTER_STATE says $MUSTER_STATE: a state does not belong into git"
	ln -sfn "$MUSTER_STATE" "$specs/.muster"
}

# The tree of the spec directory in the commit that is checked out.
specs_tree() {
	git -C "$specs" rev-parse --verify --quiet 'HEAD:./' || die "$specs is in no commit of a git repository"
}

# The newest generation of the state.
generation() {
	newest=$("$muster" -C "$specs" log --limit 1 --json 2>/dev/null | jq -r '.[0].Number // 0') || newest=0
	printf '%s\n' "${newest:-0}"
}

# -- AWS -------------------------------------------------------------------------------------------------------------

# With a token of this job's identity, where the forge gives one; else with what the environment has.
aws_enter() {
	[ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}${MUSTER_ID_TOKEN:-}" ] || return 0
	[ -n "${AWS_ROLE_ARN:-}" ] || die "AWS_ROLE_ARN is not set: the role that this job is to enter"
	AWS_WEB_IDENTITY_TOKEN_FILE=$tmp/token
	export AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN
	# They would come first.
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
	"$steps/token.sh" "$AWS_WEB_IDENTITY_TOKEN_FILE"
	[ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || token_keep
}

# GitHub's tokens last minutes, sessions an hour; a long run needs a new one of each.
token_keep() {
	token_for=$$
	(
		trap - EXIT INT TERM
		seconds=0
		while sleep 2 && kill -0 "$token_for" 2>/dev/null; do
			seconds=$((seconds + 2))
			[ $((seconds % 240)) -ne 0 ] || "$steps/token.sh" "$AWS_WEB_IDENTITY_TOKEN_FILE" || :
		done
	) </dev/null >/dev/null 2>&1 &
	keeper=$!
}

# -- Plans -----------------------------------------------------------------------------------------------------------

# candidates_find TREE NUMBER: plans that were made before, into files candidate-1.json, ...; sets `candidates` to how
# many. Those of this tree, newest first; where there is none, the newest of the pull request.
candidates_find() {
	candidates=0
	case $forge in
	github) github_places "$1" ;;
	gitlab) gitlab_places "$2" ;;
	esac
	take_places "$1" 10
	[ "$candidates" -eq 0 ] && [ -n "$2" ] || return 0
	[ "$forge" = gitlab ] || github_pull_places "$2"
	take_places '' 1
}

# take_places TREE MOST: the plans at these places; without TREE of any tree.
take_places() {
	while [ "$candidates" -lt "$2" ] && read -r place; do
		api GET "$place" >"$tmp/got" || continue
		case $place in
		*/zip) unzip -p "$tmp/got" plan.json 2>/dev/null | head -c 536870912 >"$tmp/plan" ;;
		*) mv "$tmp/got" "$tmp/plan" ;;
		esac
		made_of=$(jq -r '.muster.tree? // empty' "$tmp/plan" 2>/dev/null) || continue
		case $made_of in '' | [!0-9a-f]*) continue ;; esac
		[ "$made_of" = "${1:-$made_of}" ] || continue
		candidates=$((candidates + 1))
		mv "$tmp/plan" "$tmp/candidate-$candidates.json"
	done <"$tmp/places"
}

artifact_places='[.artifacts[] | select((.expired | not) and (.name | startswith("muster-plan-")))]
	| sort_by(.created_at, .id) | reverse | .[:10][] | "actions/artifacts/\(.id)/zip"'

github_places() {
	api GET "actions/artifacts?name=muster-plan-$1&per_page=100" >"$tmp/artifacts" || return 1
	jq -r "$artifact_places" "$tmp/artifacts" >"$tmp/places"
}

# Of the newest run for the newest commit of the pull request that left a plan.
github_pull_places() {
	api GET "pulls/$1" >"$tmp/pull" || return 1
	api GET "actions/runs?event=pull_request&head_sha=$(jq -r .head.sha "$tmp/pull")&per_page=10" >"$tmp/runs" || return 1
	jq -r '.workflow_runs | sort_by(-.id)[].id' "$tmp/runs" >"$tmp/run-ids"
	: >"$tmp/places"
	while read -r run; do
		api GET "actions/runs/$run/artifacts?per_page=100" >"$tmp/artifacts" || continue
		jq -r "$artifact_places" "$tmp/artifacts" >>"$tmp/places"
	done <"$tmp/run-ids"
}

# GitLab keeps artifacts with the job that made them: of the merge request's pipelines, and of this one's earlier tries.
gitlab_places() {
	: >"$tmp/pipelines"
	[ -z "${CI_PIPELINE_ID:-}" ] || printf '%s\n' "$CI_PIPELINE_ID" >>"$tmp/pipelines"
	if [ -n "$1" ]; then
		api GET "merge_requests/$1/pipelines?per_page=10" >"$tmp/answers" || return 1
		jq -r 'sort_by(-.id)[:10][].id' "$tmp/answers" >>"$tmp/pipelines"
	fi
	: >"$tmp/places"
	while read -r pipeline; do
		api GET "pipelines/$pipeline/jobs?include_retried=true&per_page=100" >"$tmp/jobs" || continue
		jq -r 'sort_by(-.id)[] | select((.name | IN("muster:plan", "muster:apply")) and (.artifacts_file != null))
			| "jobs/\(.id)/artifacts/muster-out/plan.json"' "$tmp/jobs" >>"$tmp/places"
	done <"$tmp/pipelines"
}

# signatures_add PLAN NUMBER: adds the signatures in the pull request's comments that are of this plan.
signatures_add() {
	[ -n "$2" ] || return 0
	comments "$2" "$tmp/said" || return 1
	jq -r --arg digest "$(jq -r .muster.digest "$1")" '
		[.[] | select(.member and (.mine | not)) | .body | gsub("\r"; "")
			| (scan("-----BEGIN SSH SIGNATURE-----[A-Za-z0-9+/=\\s]+-----END SSH SIGNATURE-----") | . + "\n"),
			  (scan("\\{[^{}]*\"Signature\"[^{}]*\\}") | fromjson? | select(.Plan == $digest) | tojson)]
		| unique | .[:90][] | @base64' "$tmp/said" >"$tmp/signatures"
	while read -r signature; do
		printf '%s\n' "$signature" | base64 -d >"$tmp/signature"
		# What is of an earlier plan stays among the comments, too.
		"$muster" -C "$specs" approve "$1" --add "$tmp/signature" >/dev/null 2>"$tmp/why" ||
			say "a signature among the comments does not count: $(head -c 300 "$tmp/why" | sed "s|$tmp/||g")"
	done <"$tmp/signatures"
}

# approve_check PLAN: whether apply would take it. Sets `check` to signed, unsigned (and none is needed), or refused; what
# muster said is in $tmp/check.
approve_check() {
	if ! "$muster" -C "$specs" approve "$1" --check >"$tmp/check" 2>&1; then
		check=refused
	elif grep -q '^  approvals *none required' "$tmp/check"; then
		check=unsigned
	else
		check=signed
	fi
}
