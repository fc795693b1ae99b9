#!/bin/sh
# same.sh LIBLOITER PROGRAM [ARG...]
# Runs the program plain and with the library, and fails unless output and status are the same. The
# program is given a scratch directory as TEST_DIR.
set -u
lib=$1
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/plain" "$scratch/loaded" "$scratch/record" || exit 2

TEST_DIR=$scratch/plain "$@" >"$scratch/plain.out" 2>"$scratch/plain.err"
plain=$?
TEST_DIR=$scratch/loaded LD_PRELOAD=$lib LOITER_DIR=$scratch/record "$@" \
    >"$scratch/loaded.out" 2>"$scratch/loaded.err"
loaded=$?

fail=0
if [ "$plain" -ne 0 ]; then
    echo "the program fails by itself: status=$plain"
    tail -n 20 "$scratch/plain.err"
    fail=1
fi
if [ "$plain" -ne "$loaded" ]; then
    echo "another exit status: plain=$plain loaded=$loaded"
    fail=1
fi
for stream in out err; do
    diff -u "$scratch/plain.$stream" "$scratch/loaded.$stream" || fail=1
done
if [ ! -s "$scratch/plain.out" ]; then
    echo "the program printed nothing: nothing was compared"
    fail=1
fi
if [ -z "$(ls -A "$scratch/record")" ]; then
    echo "nothing was recorded: the library was not at work"
    fail=1
fi
exit $fail
