#!/bin/sh
# token.sh FILE: writes a token of this job's identity (OpenID Connect) to FILE, for AWS_WEB_IDENTITY_TOKEN_FILE.
# GitHub gives it on request (permission id-token: write), GitLab in the variable MUSTER_ID_TOKEN (id_tokens).
set -eu
umask 077
file=${1:?the file to write the token to}

# The new one is there whole, or the old one is.
write() {
	mv -f "$file.new" "$file"
}

if [ -n "${MUSTER_ID_TOKEN:-}" ]; then
	printf '%s\n' "$MUSTER_ID_TOKEN" >"$file.new"
	write
	exit 0
fi
if [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || [ -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" ]; then
	echo "error: no token: the job needs the permission id-token: write (GitHub), or id_tokens with MUSTER_ID_TOKEN (GitLab)" >&2
	exit 1
fi
# What is secret goes by stdin, and what comes back is shown to nobody.
case $ACTIONS_ID_TOKEN_REQUEST_URL in *\?*) mark='&' ;; *) mark='?' ;; esac
if ! printf 'Authorization: Bearer %s\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
	curl --silent --show-error --fail --max-time 60 --retry 3 --header @- \
		"$ACTIONS_ID_TOKEN_REQUEST_URL${mark}audience=${MUSTER_AUDIENCE:-sts.amazonaws.com}" >"$file.answer"; then
	rm -f "$file.answer"
	echo "error: GitHub gave no token" >&2
	exit 1
fi
if ! jq -er '.value | strings' "$file.answer" >"$file.new"; then
	rm -f "$file.answer" "$file.new"
	echo "error: what GitHub answered holds no token" >&2
	exit 1
fi
rm -f "$file.answer"
write
