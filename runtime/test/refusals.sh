#!/bin/bash
# refusals.sh COMMAND... [-- COMMAND...]... - each command must end at once with status 2, say in one
# line which argument it does not take (the last one), and print nothing else.
set -uo pipefail

bad=0 command=()
check() {
    local out err status
    err=$(mktemp)
    out=$(timeout 60 "${command[@]}" 2>"$err")
    status=$?
    if [[ $status -ne 2 || -n $out || $(wc -l <"$err") -ne 1 || $(<"$err") != *"\"${command[-1]}\""* ]]; then
        echo "${command[*]}: status $status, output \"$out\", errors \"$(<"$err")\""
        bad=1
    fi
    rm -f "$err"
    command=()
}

for word in "$@" --; do
    [[ $word == -- ]] && check || command+=("$word")
done
exit "$bad"
