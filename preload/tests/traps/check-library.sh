#!/bin/bash
# check-library.sh LIBRARY - what its file says of how it lives in other programs: bound before it
# runs, no code that the loader must run or patch first, thread-local memory that is there from the
# start and small, and nothing loaded with it but the C library and what cancelled waits need.
set -uo pipefail
library=$1
fail=0
complain() {
    echo "check-library: $*"
    fail=1
}

dynamic=$(readelf -dW "$library") || exit 2
symbols=$(readelf --dyn-syms -W "$library") || exit 2
relocations=$(readelf -rW "$library") || exit 2
segments=$(readelf -lW "$library") || exit 2

grep -q 'BIND_NOW' <<<"$dynamic" || complain 'not linked with -z now: a first call enters the loader'
grep -q 'TEXTREL' <<<"$dynamic" && complain 'its code is patched by the loader'
grep -qE 'R(UN)?PATH' <<<"$dynamic" && complain 'it has a run path'
grep -q 'IRELATIV' <<<"$relocations" && complain 'it has functions that are chosen while it is loaded'
grep -q '__tls_get_addr' <<<"$symbols" && complain 'thread-local memory is made when it is first used'
grep -qE 'R_(X86_64_DTPMOD|X86_64_TLSDESC|AARCH64_TLSDESC)' <<<"$relocations" &&
    complain 'thread-local memory is not of the initial-exec kind'
grep -qE 'GNU_STACK .* RWE' <<<"$segments" && complain 'it makes stacks executable'
grep -qE 'LOAD .* RWE' <<<"$segments" && complain 'it has pages that can be written and run'

needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")
others=$(grep -vxE 'libc\.so\.6|libgcc_s\.so\.1|ld-linux-[a-z0-9-]*\.so\.[12]' <<<"$needed")
[[ -z $others ]] || complain "it needs more than the C library: $others"

# Of all threads together the loader has some 1.6 KiB to spare for libraries that come late.
limit=1024
bytes=$((0x$(awk '$1 == "TLS" { sub(/^0x/, "", $6); print $6 }' <<<"$segments")))
((bytes > 0)) || complain 'no thread-local memory was found: is this the library?'
((bytes <= limit)) || complain "$bytes bytes of thread-local memory, over $limit"
exit $fail
