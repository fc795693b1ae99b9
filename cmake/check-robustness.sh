#!/bin/bash
# check-robustness.sh PAGE BUILD - each test that the numbered tables of PAGE name in their last column
# is a test of BUILD, or a file of the tree, and so is whatever else in PAGE has a name as tests have;
# and the mutations of each row are those of traps.sh.
set -uo pipefail
page=$1 build=$2
cd "$(dirname "$0")/.." || exit 2
bad=0

tests=$(ctest --test-dir "$build" -N | sed -nE 's/^ *Test +#[0-9]+: //p')
[[ -n $tests ]] || { echo "check-robustness: no tests in $build" && exit 2; }
named=$(awk -F'|' '/^\| *[0-9]/ { print $(NF - 1) }' "$page" | grep -oE '`[^`]+`' | tr -d '`' | sort -u)
[[ -n $named ]] || { echo "check-robustness: no tests named in $page" && exit 2; }
named+=$'\n'$(grep -oE '`((preload|e2e|fault|real|installed|correct|cli)-[^` ]+|[a-z_]+_test)`' "$page" |
    tr -d '`' | sort -u)
while read -r name; do
    if [[ $name == */* ]]; then
        [[ -e $name ]] && continue
    else
        grep -qxF -- "$name" <<<"$tests" && continue
    fi
    echo "check-robustness: $page names a test that is not there: $name"
    bad=1
done <<<"$named"

mutations=$(sed -nE 's/^mutation ([0-9]{2}-[^ ]+) .*/\1/p' tests/mutations/traps.sh | sort)
in_rows=$(awk -F'|' '/^\| *[0-9]/ && NF == 7 {
    while (match($5, /`[^`]+`/)) {
        printf "%02d-%s\n", $2, substr($5, RSTART + 1, RLENGTH - 2)
        $5 = substr($5, RSTART + RLENGTH)
    }
}' "$page" | sort)
diff <(echo "$mutations") <(echo "$in_rows") ||
    { echo "check-robustness: mutations of traps.sh (<) and of $page (>)" && bad=1; }
exit "$bad"
