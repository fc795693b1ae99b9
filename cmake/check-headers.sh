#!/bin/bash
# check-headers.sh - each header compiles by itself, and the public ones as C++ too.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
flags=(-fsyntax-only -D_GNU_SOURCE -I. -Iruntime/include -Ipreload/include -Wall -Wextra -Werror)
bad=0
while read -r header; do
    gcc -x c -std=gnu17 "${flags[@]}" -Wno-unused-function "$header" || bad=1
done < <(find analyzer eventlog preload runtime test-programs tests -name '*.h' | sort)
for header in runtime/include/weft.h preload/include/loiter.h; do
    g++ -x c++ "${flags[@]}" "$header" || bad=1
done
exit "$bad"
