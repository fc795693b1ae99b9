#!/bin/bash
# watched.sh LIBRARY PROGRAM - a program without a race (behind.c), looked at by valgrind's drd and
# helgrind: with the library preloaded they see its locks as they do without, so of the program's own
# accesses they say nothing. What they say of the library's is another matter.
set -uo pipefail
command -v valgrind >/dev/null || exit 77
records=$(mktemp -d) || exit 2
trap 'rm -rf "$records"' EXIT
fail=0
for tool in drd helgrind; do
    for preload in '' "$1"; do
        told=$(LD_PRELOAD=$preload LOITER_DIR=$records valgrind --tool="$tool" "$2" 2>&1)
        grep -q '^==.*ERROR SUMMARY' <<<"$told" && grep -q 'counter = 2000' <<<"$told" &&
            ! grep ' at 0x[0-9A-F]*: count (' <<<"$told" && continue
        echo "watched: $tool, preloaded '$preload'"
        tail -20 <<<"$told"
        fail=1
    done
done
[[ -n $(ls -A "$records") ]] || { echo 'watched: nothing was recorded' && fail=1; }
exit $fail
