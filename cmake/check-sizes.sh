#!/bin/bash
# check-sizes.sh [ROOT] - no function of 70 lines or more, no file over 600, no line that marks work
# as unfinished. check-sizes.sh --self-test - each must be seen in a planted file.
#
# It knows a function by its braces in the first column, where clang-format puts them.
set -uo pipefail

list_sources() {
    find . \( -name 'build*' -o -name .git -o -name .cache -o -name fixtures -o -name golden \) -prune -o -type f \
        \( -name '*.[chS]' -o -name '*.def' -o -name '*.sh' -o -name '*.py' \) -print | sort
}

check_tree() {
    local bad=0 found
    found=$(list_sources | xargs awk '
        function leave_file() { if (lines > 600) print file ":1: a file of " lines " lines, over 600" }
        FNR == 1 { if (file != "") leave_file(); file = FILENAME; opened = 0 }
        { lines = FNR }
        FILENAME ~ /\.c$/ && $0 == "{" { opened = FNR }
        FILENAME ~ /\.c$/ && substr($0, 1, 1) == "}" && opened {
            if (FNR - opened + 2 >= 70)
                print FILENAME ":" opened ": a function of " FNR - opened + 2 " lines; the limit is 69"
            opened = 0
        }
        END { leave_file() }')
    [[ -n $found ]] && echo "$found" && bad=1
    # Written so that this file does not match itself.
    list_sources | xargs grep -nwE 'TO[D]O|FIX[M]E|XX[X]|HAC[K]' && bad=1
    return "$bad"
}

self_test() {
    local me tree failed=0
    me=$(realpath "$0")
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    cd "$tree" || exit 2
    { printf 'int f(void)\n{\n' && yes '    g();' | head -66; echo '}'; } >fine.c
    "$me" . || { echo 'self-test: a function of 69 lines was refused' && failed=1; }
    { printf 'int f(void)\n{\n' && yes '    g();' | head -67; echo '}'; } >long.c
    "$me" . >/dev/null && echo 'self-test: a function of 70 lines was not seen' && failed=1
    yes 'int a;' | head -601 >long.c
    "$me" . >/dev/null && echo 'self-test: a file of 601 lines was not seen' && failed=1
    printf '/* %s%s: later */\n' TO DO >long.c
    "$me" . >/dev/null && echo 'self-test: a mark of unfinished work was not seen' && failed=1
    [[ $failed -eq 0 ]] && echo 'self-test: each planted excess was seen'
    exit "$failed"
}

[[ ${1:-} == --self-test ]] && self_test
cd "${1:-$(dirname "$0")/..}" || exit 2
check_tree
