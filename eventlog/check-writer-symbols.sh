#!/bin/sh
# check-writer-symbols.sh ARCHIVE
#
# The writer works inside other people's programs: it may call nothing that allocates, locks, prints
# or waits. This is the list of what it calls outside itself; anything else fails.
set -eu

undefined=$(nm -u "$1" | awk '$1 == "U" { print $2 }' | sort -u)
foreign=$(echo "$undefined" | grep -vxE 'el_[a-z0-9_]+|syscall|clock_gettime|getauxval|__errno_location|mem(cpy|set|cmp|move)|strn?len|strcmp|__u?divti3|_GLOBAL_OFFSET_TABLE_|__gcov_.*|__stack_chk_fail' || true)
if [ -n "$foreign" ]; then
    echo "$1 calls what it may not:"
    echo "$foreign"
    exit 1
fi
echo "$undefined" | grep -qx syscall || { echo "$1: no archive of the writer"; exit 1; }
