#!/bin/bash
# check-includes.sh [ROOT] - keeps the include rules of docs/ARCHITECTURE.md, from the #include lines.
# check-includes.sh --self-test - plants each kind of violation in a tree of its own: each must be
# seen, and nothing else.
#
# It reads lines, not translation units: an #include that is compiled out counts too.
set -uo pipefail

# part -> the parts it may include from. Public headers are parts of their own: <weft.h> <loiter.h>.
declare -A allowed=(
    [eventlog]='eventlog'
    [preload]='preload eventlog loiter.h'
    [runtime]='runtime weft.h loiter.h'
    [analyzer]='analyzer eventlog'
    [test-programs]='test-programs weft.h loiter.h'
    [tests]='tests test-programs eventlog weft.h loiter.h'
    [bench]='bench runtime weft.h loiter.h'
    [plant]='weft.h loiter.h'
)

# folder of the analyzer -> the folders it may include from: data flows one way.
declare -A allowed_inside=(
    [analyzer]='analyzer read model rules symbols gate report compare export cli'
    [read]='read model analyzer'
    [model]='model analyzer'
    [rules]='rules model analyzer'
    [symbols]='symbols rules model analyzer'
    [gate]='gate rules model analyzer'
    [report]='report gate symbols rules model analyzer'
    [compare]='compare report gate rules model analyzer'
    [export]='export report model analyzer'
    [cli]='cli export compare report gate symbols rules model read analyzer'
)

violations=0
report() { # file line what
    echo "$1:$2: $3"
    violations=$((violations + 1))
}

has_word() { [[ " $1 " == *" $2 "* ]]; }

# The folder of the analyzer that a path lies in; "analyzer" for what lies beside them.
folder_inside() {
    local rest=${1#analyzer/}
    [[ $rest == */* ]] && echo "${rest%%/*}" || echo analyzer
}

check_quoted() { # file line part target
    local file=$1 line=$2 part=$3 target=$4 target_part=${4%%/*}
    if [[ $target != */* || ! -v allowed[$target_part] ]]; then
        report "$file" "$line" "\"$target\" is not written from the root of the repository"
    elif ! has_word "${allowed[$part]}" "$target_part"; then
        report "$file" "$line" "$part may not include $target_part (\"$target\")"
    elif [[ $part == analyzer && $target_part == analyzer ]]; then
        local from to
        from=$(folder_inside "$file") to=$(folder_inside "$target")
        if [[ -v allowed_inside[$from] ]] && ! has_word "${allowed_inside[$from]}" "$to"; then
            report "$file" "$line" "analyzer/$from may not include analyzer/$to (\"$target\")"
        elif [[ $from == rules && -f ${target%.*}.c ]] && is_rule "${target%.*}.c" &&
            is_rule "$file" && [[ ${target%.*} != "${file%.*}" ]]; then
            report "$file" "$line" "a rule may not include another rule (\"$target\")"
        elif [[ $from == rules && $target == *.c ]]; then
            report "$file" "$line" "a rule may not include another rule (\"$target\")"
        fi
    fi
}

check_public() { # file line part header
    if [[ $4 == weft.h || $4 == loiter.h ]] && ! has_word "${allowed[$3]}" "$4"; then
        report "$1" "$2" "$3 may not include <$4>"
    fi
}

is_rule() { grep -qE '^(static )?(const )?struct rule +rule_' "$1"; }

check_tree() {
    local file number text part
    while IFS=: read -r file number text; do
        file=${file#./} part=${file#./} part=${part%%/*}
        # What the doctor plants are programs of their own and no part of the command.
        [[ $file == analyzer/cli/plant*.c ]] && part=plant
        [[ -v allowed[$part] ]] || continue
        if [[ $text =~ \"([^\"]+)\" ]]; then
            check_quoted "$file" "$number" "$part" "${BASH_REMATCH[1]}"
        elif [[ $text =~ \<([^>]+)\> ]]; then
            check_public "$file" "$number" "$part" "${BASH_REMATCH[1]}"
        fi
    done < <(find . \( -name 'build*' -o -name .git -o -name .cache \) -prune -o -type f \
        \( -name '*.[chS]' -o -name '*.def' -o -name '*.cc' \) -print0 |
        xargs -0 grep -HnE '^[[:space:]]*#[[:space:]]*include' | sort -t: -k1,1 -k2,2n)
    [[ $violations -eq 0 ]]
}

# file and content that must be seen as a violation; then the clean ones that must not.
self_test() {
    local tree me file content failed=0
    me=$(realpath "$0")
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree"/{eventlog,preload/wrap,runtime/sched,analyzer/{rules,report,model,read,cli},tests}
    cd "$tree" || exit 2
    echo 'const struct rule rule_other = {0};' >analyzer/rules/other.c
    printf '#include "analyzer/model/model.h"\n#include "eventlog/kinds.h"\n' >analyzer/rules/fine.c
    printf '#include <loiter.h>\n#include "runtime/sched/sched.h"\n' >runtime/sched/fine.c
    printf '#include "eventlog/events.h"\n#include <loiter.h>\n' >preload/wrap/fine.c
    "$me" . >out || { echo 'self-test: a clean tree was refused:' && cat out && failed=1; }
    while read -r file content; do
        printf 'const struct rule rule_it = {0};\n#include %s\n' "$content" >"$file"
        if "$me" . >out; then
            echo "self-test: not seen: #include $content in $file"
            failed=1
        elif [[ $(grep -c "^$file:2: " out) -ne 1 || $(wc -l <out) -ne 2 ]]; then
            echo "self-test: misreported: #include $content in $file:" && cat out
            failed=1
        fi
        rm "$file"
    done <<'PLANTED'
eventlog/x.c "preload/core/core.h"
eventlog/x.c "analyzer/model/model.h"
eventlog/x.c <loiter.h>
preload/wrap/x.c "analyzer/model/model.h"
preload/wrap/x.c "runtime/sched/sched.h"
preload/wrap/x.c <weft.h>
preload/wrap/x.c "wrap.h"
analyzer/cli/x.c "preload/core/core.h"
analyzer/cli/x.c <loiter.h>
analyzer/cli/plant_x.c "analyzer/cli/cli.h"
runtime/sched/x.c "eventlog/events.h"
runtime/sched/x.c "preload/core/core.h"
runtime/sched/x.c "preload/include/loiter.h"
analyzer/rules/x.c "analyzer/rules/other.h"
analyzer/rules/x.c "analyzer/report/text.h"
analyzer/rules/x.c "analyzer/read/read.h"
analyzer/model/x.c "analyzer/rules/finding.h"
analyzer/read/x.c "analyzer/cli/cli.h"
tests/x.c "preload/core/core.h"
PLANTED
    [[ $failed -eq 0 ]] && echo 'self-test: each planted include was seen'
    exit "$failed"
}

[[ ${1:-} == --self-test ]] && self_test
cd "${1:-$(dirname "$0")/..}" || exit 2
if check_tree; then
    exit 0
fi
echo "check-includes: $violations includes break the rules of docs/ARCHITECTURE.md"
exit 1
