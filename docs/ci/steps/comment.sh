#!/bin/sh
# comment.sh FILE MARK [NUMBER]: puts FILE into the one comment with this hidden mark on the pull request: a new one the
# first time, from then on that one is changed.
. "$(dirname -- "$0")/lib.sh"
file=${1:?the text of the comment} mark=${2:?the mark of the comment}
number=${3:-}
[ -f "$file" ] || die "$file: there is no such file; did the step before fail?"
[ -n "$number" ] || number=$(pull_number)
if [ -z "$number" ]; then
	say "no pull request brought this commit, so there is nothing to comment on"
	exit 0
fi
is_number "$number" || die "not the number of a pull request: $number"
case $forge in gitlab) most=1000000 ;; *) most=65536 ;; esac

jq -Rs --arg mark "<!-- muster:$mark -->" '{body: ($mark + "\n" + .)}' "$file" >"$tmp/body"
if [ "$(jq '.body | utf8bytelength' "$tmp/body")" -gt "$most" ]; then
	jq -n --arg mark "<!-- muster:$mark -->" --arg run "$(run_url)" \
		'{body: "\($mark)\nThis is longer than a comment may be. All of it is in the artifacts of \($run)"}' >"$tmp/body"
fi
comments "$number" "$tmp/all"
id=$(jq -r --arg mark "<!-- muster:$mark -->" '[.[] | select(.mine and (.body | startswith($mark)))][0].id // empty' "$tmp/all")
case $forge in
github)
	if [ -n "$id" ]; then
		api PATCH "issues/comments/$id" "$tmp/body" >/dev/null
	else
		api POST "issues/$number/comments" "$tmp/body" >/dev/null
	fi
	;;
gitlab)
	if [ -n "$id" ]; then
		api PUT "merge_requests/$number/notes/$id" "$tmp/body" >/dev/null
	else
		api POST "merge_requests/$number/notes" "$tmp/body" >/dev/null
	fi
	;;
esac
say "the comment is on pull request $number"
