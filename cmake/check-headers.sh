#!/bin/bash
# check-headers.sh - each header compiles by itself, and the public ones as C++ too.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
flags=(-fsyntax-only -D_GNU_SOURCE -I. -Iruntime/include -Ipreload/include -Wall -Wextra -Werror)
bad=0
find analyzer eventlog preload runtime test-programs tests -name '*.h' -print0 | sort -z |
    xargs -0 -P "$(nproc)" -n 16 gcc -x c -std=gnu17 "${flags[@]}" -Wno-unused-function || bad=1
for header in runtime/include/weft.h preload/include/loiter.h; do
    g++ -x c++ "${flags[@]}" "$header" || bad=1
done
exit "$bad"
