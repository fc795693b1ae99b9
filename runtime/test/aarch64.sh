#!/bin/bash
# aarch64.sh OUT SOURCE... - Weft for aarch64: compiled with the project's warnings, linked statically
# with the stress of everything at once (the sources, relative to runtime/), and run under qemu-user.
set -euo pipefail
out=$(realpath -m "$1")
shift
cd "$(dirname "$0")/.."
flags=(-std=gnu17 -O2 -g -D_GNU_SOURCE -I.. -Iinclude -I../preload/include
  -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Werror
  -fno-strict-aliasing -fno-omit-frame-pointer)
aarch64-linux-gnu-gcc "${flags[@]}" -static -o "$out" "$@" -pthread
exec qemu-aarch64 "$out" --seconds 2 --workers 1,2,4
