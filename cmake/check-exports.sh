#!/bin/bash
# check-exports.sh LIBRARY LIST - the library exports exactly the names of the list, one a line.
# check-exports.sh LIBRARY --write LIST - writes the list anew; its comments stay.
# check-exports.sh LIBRARY --declared HEADER... - exactly the functions that the public headers
# declare.
set -uo pipefail
library=$1
list=$2

# Names followed by a parenthesis, and variables, in what is left of the header without comments and
# macros.
declared() {
    cat "$@" | gcc -fpreprocessed -dD -E -P -x c - | sed '/^#/d' | tr '\n' ' ' |
        grep -oE '\bweft_[a-z0-9_]+ *\(|\bextern (int |intptr_t |__thread struct [a-z_]+ \**)weft_[a-z0-9_]+' |
        sed 's/^extern .*[ *]//' |
        tr -d ' (' | grep -v '_fn$'
}

exported=$(nm -D --defined-only --format=posix "$library" | awk '$2 != "A" {print $1}' |
    sed 's/@.*//' | LC_ALL=C sort -u)
if [[ $list == --write ]]; then
    { grep '^#' "$3" && echo "$exported"; } >"$3.new" && mv "$3.new" "$3"
    exit
fi
if [[ $list == --declared ]]; then
    expected=$(declared "${@:3}" | LC_ALL=C sort -u)
    list=${*:3}
else
    expected=$(grep -vE '^(#|$)' "$list" | LC_ALL=C sort -u)
fi
[[ -n $exported && -n $expected ]] || { echo "check-exports: nothing to compare" && exit 2; }
difference=$(diff <(echo "$expected") <(echo "$exported")) && exit 0
echo "$difference"
echo "check-exports: $library does not export what $list says: < missing, > not in the list"
exit 1
