#!/bin/bash
# check-docs.sh - each rule of rules.def has its page in docs/rules/, each subcommand of commands.def
# its manual page in docs/man/, and neither folder has a page of something that does not exist.
# docs/ARCHITECTURE.md names each rule and each folder. Scripts that the documents call are there and
# can be called, and what they link is there.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
bad=0

compare() { # what, expected names, names there are
    local difference
    if difference=$(diff <(sort -u <<<"$2") <(sort -u <<<"$3")); then
        return
    fi
    echo "$difference"
    echo "check-docs: $1: < has no page, > is a page of nothing"
    bad=1
}

rules=$(sed -nE 's/^ *RULE\(([a-z0-9_]+)\).*/\1/p' analyzer/rules/rules.def | tr _ -)
[[ -n $rules ]] || { echo 'check-docs: no rules found in rules.def' && exit 2; }
compare 'docs/rules' "$rules" "$(cd docs/rules && ls ./*.md 2>/dev/null | sed 's|^\./||; s/\.md$//')"

commands=$(sed -nE 's/^ *COMMAND\(([a-z0-9_]+),.*/\1/p' analyzer/cli/commands.def)
[[ -n $commands ]] || { echo 'check-docs: no subcommands found in commands.def' && exit 2; }
compare 'docs/man' "$commands" \
    "$(cd docs/man && ls loiter-* 2>/dev/null | sed -E 's/^loiter-//; s/\.[a-z0-9]+$//')"

named() { # what, its names
    local name
    for name in $2; do
        grep -qF "\`$name\`" docs/ARCHITECTURE.md || grep -qE "[\` ]$name[\` ]" docs/ARCHITECTURE.md ||
            { echo "check-docs: docs/ARCHITECTURE.md does not name the $1 $name" && bad=1; }
    done
}

folders() { find "$@" -mindepth 1 -maxdepth 1 -type d ! -name 'build*' ! -name 'loiter.*' ! -name '.git' ! -name '.cache' \
    -printf '%f/\n'; }

named rule "$rules"
named folder "$(folders . analyzer runtime preload | grep -vE '^(include|test)/$')"

documents=(README.md tests/README.md docs/*.md docs/rules/*.md)
while read -r script; do
    [[ -x $script ]] || { echo "check-docs: a document calls $script, which cannot be called" && bad=1; }
done < <(grep -ohE '(^    |`)(bench|cmake|runtime|tests)/[a-z_/-]+\.(py|sh) ' "${documents[@]}" |
    sed -E 's/^ *`?//; s/ $//' | sort -u)
for document in "${documents[@]}"; do
    while read -r target; do
        [[ -e $(dirname "$document")/$target ]] ||
            { echo "check-docs: $document links $target, which is not there" && bad=1; }
    done < <(grep -oE '\]\([^)#:]+\)' "$document" | sed -E 's/^\]\(//; s/\)$//')
done
exit "$bad"
