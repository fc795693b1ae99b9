#!/bin/bash
# check-format.sh [FILE...] - the C files are as clang-format writes them (all of them without
# arguments; fixtures are data and stay as they are). check-format.sh --fix mends them in place.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

mode=(--dry-run -Werror)
[[ ${1:-} == --fix ]] && mode=(-i) && shift
if [[ $# -gt 0 ]]; then
    exec clang-format "${mode[@]}" "$@"
fi
find . \( -name 'build*' -o -name .git -o -name .cache -o -name fixtures -o -name golden \) -prune -o -type f \
    -name '*.[ch]' -print0 | xargs -0 clang-format "${mode[@]}"
