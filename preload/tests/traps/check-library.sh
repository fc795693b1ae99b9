#!/bin/bash
# check-library.sh LIBRARY - what its file says of how it lives in other programs: bound before it
# runs, no code that the loader must run or patch first, thread-local memory that is there from the
# start and small, nothing loaded with it but the C library, and of that nothing called that allocates,
# locks, prints, waits or changes the program. What programs call most often reads no clock, enters no
# kernel and locks no bus on its usual way, but to take a mutex or to give it back.
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
grep -q 'VERDEF' <<<"$dynamic" && complain 'its names have versions: programs of another C library miss them'
grep -q 'TEXTREL' <<<"$dynamic" && complain 'its code is patched by the loader'
grep -qE 'R(UN)?PATH' <<<"$dynamic" && complain 'it has a run path'
grep -q 'IRELATIV' <<<"$relocations" && complain 'it has functions that are chosen while it is loaded'
grep -q '__tls_get_addr' <<<"$symbols" && complain 'thread-local memory is made when it is first used'
grep -qE 'R_(X86_64_DTPMOD|X86_64_TLSDESC|AARCH64_TLSDESC)' <<<"$relocations" &&
    complain 'thread-local memory is not of the initial-exec kind'
grep -qE 'GNU_STACK .* RWE' <<<"$segments" && complain 'it makes stacks executable'
grep -qE 'LOAD .* RWE' <<<"$segments" && complain 'it has pages that can be written and run'

needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")
others=$(grep -vxE 'libc\.so\.6|ld-linux-[a-z0-9-]*\.so\.[12]' <<<"$needed")
[[ -z $others ]] || complain "it needs more than the C library: $others"

# What is wrapped is called by pointers, which dlsym finds.
may='_ITM_.*|__gmon_start__|__cxa_finalize' # the compiler's
may+='|dlopen' # of libgcc_s, when a cancelled wait is unwound
may+='|environ|__environ|__errno_location|__libc_(single_threaded|stack_end)|getauxval|getpagesize'
may+='|dlsym|dlvsym|dladdr|dl_iterate_phdr|gnu_get_libc_version|_dl_find_object|on_exit' # at the start
may+='|clock_gettime|geteuid|timer_gettime|timerfd_gettime|pthread_self|pthread_testcancel'
may+='|pthread_attr_(init|destroy|getdetachstate|getstacksize)'
may+='|gnu_dev_(major|minor)|__pthread_cleanup_routine' # inlined, but where nothing is (-O0)
may+='|mallctl' # of jemalloc, where that is there
may+='|fileno|dirfd|__fbufsize|__fpending|str(n?cmp|chr|n?len)|mem(cpy|set|cmp|move)'
calls=$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }') || exit 2
others=$(grep -vxE "$may" <<<"$calls")
[[ -z $others ]] || complain "it calls what is not on the list:" $others

usual='malloc calloc free pthread_mutex_lock pthread_mutex_unlock mtx_lock mtx_unlock'
usual+=' pthread_rwlock_rdlock pthread_rwlock_wrlock'
for name in $usual; do
    code=$(objdump -d --no-show-raw-insn --disassemble="$name" "$library") || exit 2
    (($(grep -c '^ .*:' <<<"$code") > 5)) || complain "$name: no code was found"
    [[ $name == pthread_mutex_* ]] && code=$(sed '0,/\slock cmpxchg /{/\slock cmpxchg /d}' <<<"$code")
    grep -E '\srdtscp?\b|\ssyscall\b|\slock |clock_gettime|cntvct|\ssvc\b' <<<"$code" &&
        complain "$name reads a clock, enters the kernel or locks the bus on its usual way"
done

# Of all threads together the loader has some 1.6 KiB to spare for libraries that come late.
limit=1024
bytes=$((0x$(awk '$1 == "TLS" { sub(/^0x/, "", $6); print $6 }' <<<"$segments")))
((bytes > 0)) || complain 'no thread-local memory was found: is this the library?'
((bytes <= limit)) || complain "$bytes bytes of thread-local memory, over $limit"
exit $fail
