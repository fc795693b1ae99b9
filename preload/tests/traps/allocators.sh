#!/bin/bash
# allocators.sh LIBLOITER ALLOCATOR PROGRAM... - each program with another allocator preloaded: the
# same output and status with the library before it, with the library behind it, and without.
# ALLOCATOR is a name for the loader, like libjemalloc.so.2.
set -uo pipefail
library=$1 allocator=$2
shift 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
fail=0

# run NAME PRELOAD PROGRAM
run() {
    mkdir -p "$scratch/$1.dir" "$scratch/record"
    TEST_DIR=$scratch/$1.dir LOITER_DIR=$scratch/record LD_PRELOAD=$2 timeout 300 "$3" \
        >"$scratch/$1.out" 2>"$scratch/$1.err"
    echo "status $?" >>"$scratch/$1.out"
}

for program in "$@"; do
    run plain "$allocator" "$program"
    if grep -q 'cannot be preloaded' "$scratch/plain.err" || ! grep -qx 'status 0' "$scratch/plain.out"; then
        echo "allocators: $program does not run with $allocator by itself:"
        cat "$scratch/plain.err"
        exit 1
    fi
    for order in "$library:$allocator" "$allocator:$library"; do
        rm -rf "$scratch/record" "$scratch/loaded.dir"
        run loaded "$order" "$program"
        for stream in out err; do
            if ! diff -u "$scratch/plain.$stream" "$scratch/loaded.$stream"; then
                echo "allocators: $program differs with LD_PRELOAD=$order"
                fail=1
            fi
        done
        if [[ -z $(ls -A "$scratch/record") ]]; then
            echo "allocators: nothing was recorded with LD_PRELOAD=$order"
            fail=1
        fi
    done
done
exit $fail
