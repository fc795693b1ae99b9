#!/bin/bash
# run-ctest.sh BUILD [ctest options] - runs the tests of a build; a test that was skipped, disabled or
# not run is a failure too, and so is a build without tests.
set -uo pipefail
build=$1
shift
log=$build/ctest.log
ctest --test-dir "$build" -j2 --output-on-failure --no-tests=error --timeout 300 "$@" | tee "$log"
status=${PIPESTATUS[0]}
if [[ $status -eq 0 ]] && grep -qE '\*\*\*(Skipped|Not Run)|^The following tests did not run' "$log"; then
    echo 'run-ctest: a test was skipped or did not run, which counts as a failure (see above)' >&2
    exit 1
fi
exit "$status"
