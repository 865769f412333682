#!/bin/bash
# What is made from the program's tables and committed is what the program makes now; the manual reads without a
# complaint of its formatters; links in the documentation lead somewhere.
. "$(dirname "$0")/lib.sh"

made=$work/made
mkdir -p "$made"
run bash "$root/tools/docs.sh" "$muster" "$made"
is "the reference can be made" "$status" 0
for part in docs/reference specs/schema/stack.schema.json; do
	run diff -r "$root/$part" "$made/$part"
	is "$part is up to date (else: make docs)" "$status$(head -5 <<<"$out")" 0
done
for name in muster accounts; do
	run "$muster" types --schema "$name.json"
	is "muster types --schema $name.json is specs/schema/$name.schema.json" \
		"$(jq -S . <<<"$out")" "$(jq -S . "$root/specs/schema/$name.schema.json")"
done
is "... as --schema without a name is the stacks'" "$("$muster" types --schema | cksum)" \
	"$("$muster" types --schema stack | cksum)"
run "$muster" types --schema nonsense.json
is "there is no schema of anything else" "$status" 1
like "... and what there is, is said" "$err" 'muster.json, accounts.json, stack or one type'
run "$muster" types --schema 'cloudtrail'
is "a part of a type's name is enough" "$status $(jq -r .title <<<"$out")" "0 Properties of AWS::CloudTrail::Trail"

# Editors read patterns in ECMAScript's unicode mode, which takes no escape that is not needed.
if command -v node >/dev/null; then
	run node -e '
		const walk = (value) => {
			for (const [key, inner] of value && typeof value === "object" ? Object.entries(value) : []) {
				if (key === "pattern" && typeof inner === "string") new RegExp(inner, "u");
				if (key === "patternProperties") Object.keys(inner).forEach((pattern) => new RegExp(pattern, "u"));
				walk(inner);
			}
		};
		process.argv.slice(1).forEach((file) => walk(JSON.parse(require("fs").readFileSync(file, "utf8"))));
	' "$root"/specs/schema/{muster,accounts,stack}.schema.json
	is "every pattern is one of ECMAScript's" "$status$err" 0
else
	pass "every pattern is one of ECMAScript's # SKIP node is not installed"
fi

# A type of one's own is in the schema as in the program.
mkdir "$work/types"
jq '.Type = "Own::SNS::Topic"' "$root/providers/aws/types/sns-topic.json" >"$work/types/own.json"
MUSTER_TYPES_PATH=$work/types run "$muster" types --schema
is "types of MUSTER_TYPES_PATH are in the schema" \
	"$(jq '.definitions.resource.properties.Type.enum | index("Own::SNS::Topic") != null' <<<"$out")" true
jq '.Example = []' "$root/providers/aws/types/sns-topic.json" >"$work/types/own.json"
MUSTER_TYPES_PATH=$work/types run "$muster" types
is "an example that is no object is refused" "$status" 1
like "... and said where" "$err" 'Example: expected an object'

# -- The manual

"$muster" help --man >"$work/muster.1"
commands=$("$muster" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)   *.*/\1/p')
missing=$(while read -r command; do
	grep -qxF ".SS muster $command" "$work/muster.1" || echo "man: $command"
	grep -qxF "## muster $command" "$root/docs/reference/commands.md" || echo "commands.md: $command"
	# shellcheck disable=SC2086 # state list is two words
	"$muster" $command --help | grep -oE '^  --[a-z-]+' | while read -r option; do
		sed -n "/^## muster $command\$/,/^## /p" "$root/docs/reference/commands.md" | grep -qF -- "\`$option" ||
			echo "$command $option"
	done
done <<<"$commands")
at_most "commands are found" 15 "$(wc -l <<<"$commands")"
is "every command and option is in the manual" "$missing" ""
for section in NAME SYNOPSIS DESCRIPTION OPTIONS COMMANDS "EXIT STATUS" ENVIRONMENT FILES EXAMPLES; do
	grep -qxF ".SH $section" "$work/muster.1" || fail "the manual has a section $section"
done
for variable in MUSTER_TYPES_PATH MUSTER_KEY_PASSPHRASE NO_COLOR AWS_PROFILE AWS_ENDPOINT_URL; do
	like "the manual tells of $variable" "$(<"$work/muster.1")" "$variable"
done
if command -v mandoc >/dev/null; then
	is "mandoc finds nothing to say of the manual" "$(mandoc -Tlint "$work/muster.1")" ""
else
	pass "mandoc finds nothing to say of the manual # SKIP mandoc is not installed"
fi
if command -v groff >/dev/null; then
	is "nor does groff" "$(groff -man -Tutf8 -ww "$work/muster.1" 2>&1 >"$work/muster.txt")" ""
	like "it can be read" "$(sed 's/.\x08//g; s/\x1b\[[0-9;]*m//g' "$work/muster.txt")" '^ +--detailed-exitcode'
else
	pass "nor does groff # SKIP groff is not installed"
fi

# -- Links

cat >"$work/links.py" <<'PYTHON'
import os, re, subprocess, sys
root = sys.argv[1]
listed = subprocess.run(["git", "-C", root, "ls-files", "*.md"], capture_output=True, text=True).stdout.split()
files = listed or [os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root + "/docs") for name in names
                   if name.endswith(".md")] + ["README.md"]
count = 0

def text_of(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r"^```.*?^```", "", file.read(), flags=re.S | re.M)

# As GitHub makes them.
def anchors(path):
    heads = re.findall(r"^#+ +(.*?) *$", text_of(path), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", head).replace("`", "").lower()).replace(" ", "-")
            for head in heads}

for name in files:
    if not os.path.exists(os.path.join(root, name)):
        continue
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text_of(os.path.join(root, name)))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(root, os.path.dirname(name), path)) if path else os.path.join(root, name)
        count += 1
        if not os.path.exists(target):
            print(f"{name}: {link}: there is no such file")
        elif anchor and target.endswith(".md") and anchor not in anchors(target):
            print(f"{name}: {link}: there is no such heading")
print(f"{count} links", file=sys.stderr)
PYTHON
run python3 "$work/links.py" "$root"
is "no link in the documentation is dead" "$status$out" 0
like "... of many" "$err" '^[0-9]{3,} links'
done_testing
