#!/bin/sh
# aarch64.sh SOURCE_ROOT CC SOURCE...
# Compiles what goes into the library for aarch64, with the project's warnings, and keeps nothing.
set -u
root=$1
cc=$2
shift 2
if [ $# -lt 2 ]; then
    echo "no sources were given"
    exit 1
fi
fail=0
for source in "$@"; do
    "$cc" -std=gnu17 -D_GNU_SOURCE -I"$root" -I"$root/preload/include" -O2 -fPIC \
        -fvisibility=hidden -fexceptions -fno-builtin -fno-stack-protector \
        -ftls-model=initial-exec -fno-strict-aliasing -fno-omit-frame-pointer -Wall -Wextra \
        -Wshadow -Wconversion -Wmissing-prototypes -Werror -c "$source" -o /dev/null || fail=1
done
exit $fail
