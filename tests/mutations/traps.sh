# traps.sh - how the code is broken for each trap of docs/robustness.md: the number comes first in
# the name. See check.sh.
core=preload/core wrap=preload/wrap heap=preload/heap

# ---- start-up and symbols ----
mutation 01-no-pool preload-early $wrap/alloc.c 's/if \(!KNOWN\(malloc\)\)\n        return pl_pool_alloc\(size, PL_POOL_ALIGN\);//'
mutation 01-free-of-the-pool preload-early $wrap/alloc.c 's/pl_pool_owns\(block\) \|\| !KNOWN\(free\)/!KNOWN(free)/'
mutation 02-missing-looked-up-again preload-early $core/real.c 's/if \(__atomic_load_n\(symbols\[i\].to, __ATOMIC_RELAXED\) == NULL\)/if (0)/'
mutation 03-before-the-constructor preload-early $core/record.c 's/struct pl_gate pl_gate;/struct pl_gate pl_gate = {.stage = PL_READY};/'
mutation 04-oldest-version preload-lock_calls $wrap/versions.def 's/GLIBC_2\.3\.2/GLIBC_2.2.5/g'
mutation 05-exports-versioned preload-library $wrap/exports.map.in 's/\n\{/\nLOITER_1 {/'
mutation 06-bound-late preload-library preload/CMakeLists.txt 's/-Wl,-z,now/-Wl,-z,lazy/'
mutation 06-chosen-while-loaded preload-library $core/real.c 's/\z/static int one(void) { return 1; }\nstatic int (*choose(void))(void) { return one; }\nPL_HIDDEN int chosen(void) __attribute__((ifunc("choose"))); PL_HIDDEN int chosen(void);\nPL_HIDDEN int (*volatile pl_chosen)(void) = chosen;\n/'
mutation 07-alias-missing preload-aliases $wrap/symbols-io.def 's/PL_IO_READY\(int, __poll_chk.*?\n//'
mutation 08-plain-pointers real_race_test $core/real.h 's/__atomic_load_n\(&pl_real\.name, __ATOMIC_RELAXED\)/pl_real.name/'

# ---- threads, thread-local memory, re-entry ----
mutation 09-made-when-used preload-library preload/CMakeLists.txt 's/-ftls-model=initial-exec//' \
    $core/gate.h 's/initial-exec/global-dynamic/' $core/thread.c 's/initial-exec/global-dynamic/' \
    $heap/heap.h 's/initial-exec/global-dynamic/' $heap/heap.c 's/initial-exec/global-dynamic/'
# Handlers are kept out twice: by the guard, and by the writer while it writes.
mutation 10-handlers-let-in preload-stepped_test $core/gate.h 's/self->guard != 0, 0/0, 0/' eventlog/writer.h 's/slot->busy \| slot->log->stop/slot->log->stop/'
mutation 11-bounds-asked-for preload-library $wrap/thread.c 's/(uintptr_t top = [^\n]*\n)/$1    pthread_attr_t attr;\n    pthread_getattr_np(pthread_self(), &attr);\n/'
mutation 12-created-again preload-lives_test $core/thread.c 's/self->phase == PL_PHASE_OVER/0/'
mutation 13-no-cleanup preload-lives_test $wrap/thread.c 's/pthread_cleanup_push\(thread_over, NULL\);/{/g; s/pthread_cleanup_pop\(1\);/thread_over(NULL); }/g'
mutation 14-kept-over-a-switch preload-moved_wait_test $core/wait.c 's/ && w->actor == self->actor//'
mutation 15-no-bounds unwind_test $core/unwind.c 's/if \(at < w->lo \|\|/if (0 \&\&/; s/if \(at > w->hi - sizeof\(uintptr_t\)\)/if (0)/; s/!pl_sys_readable\(at\)/0/'
mutation 16-return-addresses preload-cancel $core/wait.c 's/#include "preload.core.window.h"\n/$&\nstatic void nowhere(void) { __builtin_trap(); }\nstatic __thread uintptr_t *slot, was;\n/; s/    w->timed = kind_and_timed & 1;/    slot = (uintptr_t *)(sp - 8);\n    was = *slot;\n    *slot = (uintptr_t)nowhere + 1;\n$&/; s/(void pl_wait_end\(.*?return;\n)/$1    *slot = was;\n/s'
mutation 17-made-unseen preload-stepped_test $core/thread.c 's/(int pl_thread_attach\(.*?)if \(self->phase == PL_PHASE_OVER\)/$1if (1)/s'

# ---- locks and timing ----
mutation 18-a-lock-over-a-wait preload-thread_calls $core/wait.c 's/int pl_wait_begin_at/static _Atomic int ours;\nint pl_wait_begin_at/; s/    w->timed = kind_and_timed & 1;/    while (atomic_exchange(\&ours, 1) != 0)\n        ;\n$&/; s/(void pl_wait_end\(.*?return;\n)/$1    atomic_store(\&ours, 0);\n/s'
mutation 19-written-while-held preload-lives_test $core/wait.c 's/late_keep\(self, w, now, io_ticks, error\);/pl_wait_note(self, w, now, io_ticks, error);/'
mutation 20-a-clock-for-each preload-library $wrap/mutex.c 's/PL_INLINE int lock_noted\(.*?\n\{\n/#include "preload\/core\/clock.h"\nstatic volatile uint64_t then;\n$&    then = pl_now();\n/s'
mutation 21-dead-owner preload-held_locks_test $wrap/mutex.c 's/#include "preload.wrap.lock.h"\n/$&#undef PL_GOT_PTHREAD\n#define PL_GOT_PTHREAD(result) ((result) == 0)\n/'
mutation 21-not-got preload-held_locks_test $wrap/mutex.c 's/#include "preload.wrap.lock.h"\n/$&#undef PL_GOT_PTHREAD\n#define PL_GOT_PTHREAD(result) ((result) == (result))\n/'
mutation 22-one-life-for-all preload-held_locks_test $core/object.c 's/void pl_object_gone\(uint64_t object\)\n\{/$&\n    return;/'

# ---- fork, exec, exit, signals, descriptors, disk ----
mutation 24-goes-on-in-the-child preload-fork_threads,e2e-ending-threads-fork $wrap/process.c 's/pl_record_forked\(told\);//' $core/record.c 's/MADV_WIPEONFORK, 0, 0, 0\)/MADV_NORMAL, 0, 0, 0)/'
mutation 25-vfork-is-the-parent preload-lives_test $core/record.c 's/ \|\| !pl_record_is_mine\(\)//g' $wrap/process.c 's/ \|\| !pl_record_is_mine\(\)//g'
mutation 26-environment preload-environment $core/record.c 's/static int record_can_begin/extern char **environ;\n$&/; s/pl_options_read\(\);/$&\n    for (char **e = environ; *e != NULL; e++)\n        if (strncmp(*e, "LD_PRELOAD=", 11) == 0)\n            (*e)[0] = 88;/'
mutation 27-exit-for-_exit preload-ends $wrap/process.c 's/PL_REAL\(_exit\)\(status\)/PL_REAL(exit)(status)/'
mutation 27-private-memory e2e-ending-threads-sigkill,e2e-ending-threads-raw-exit eventlog/sys.h 's/: MAP_SHARED/: MAP_PRIVATE/'
mutation 28-errno preload-stepped_test $heap/heap.c 's/errno = error;\n    pl_leave/errno = 5;\n    pl_leave/'
mutation 29-a-helper preload-traces $core/record.c 's/static void begin/static void *helper(void *arg) { for (;;) pl_sys6(SYS_pause, 0, 0, 0, 0, 0, 0); return arg; }\n$&/; s/pl_leave\(self\);\n\}\n\nvoid pl_record_start/pthread_t t;\n    PL_REAL(pthread_create)(&t, NULL, helper, NULL);\n    $&/'
mutation 30-kept-open preload-closed,preload-traces eventlog/files.c 's/el_sys_close\(fd\);//g'
mutation 31-no-room-made fault-disk-full_in_mid_run eventlog/files.c 's/return disk->f_blocks [^;]*;/return 0;/; s/error = el_sys_fallocate\(fd, bytes\)/error = (el_sys_truncate(fd, bytes), 0)/; s/(\*error = write_packets\([^;]*;)/el_sys_truncate(fd, offset + bytes);\n        *error = 0;/'
mutation 31-limit-not-asked fault-disk-file_size_limit eventlog/files.c 's/el_sys_file_limit\(\) < /0 \&\& $&/g'
mutation 31-takes-the-last fault-disk-full_in_mid_run eventlog/files.c 's/share = disk->f_blocks/share = 0 * disk->f_blocks/'
mutation 32-dlopen-wrapped preload-dlopens $wrap/symbols-process.def 's/\z/PL_SYMBOL(void *, dlopen, (const char *file, int mode))\n/' $wrap/process.c 's/\z/PL_EXPORT void *dlopen(const char *file, int mode);\nPL_EXPORT void *dlopen(const char *file, int mode)\n{\n    void *volatile found = PL_REAL(dlopen)(file, mode);\n    return found;\n}\n/'
mutation 33-rules-outlive-modules preload-stacks_test $core/modules.c 's/pl_unwind_forget\(\);/{}/'
mutation 33-words-not-compared preload-stacks_test $core/stack.h 's/if \(pl_plain_address\(at\[/if (0 \&\& pl_plain_address(at[/'
mutation 34-static-let-in fault-start-static,fault-start-32_bit analyzer/cli/preflight.c 's/return check_elf\(path, fd, error\);/return 0;/'
mutation 34-setuid-let-in fault-start-setuid analyzer/cli/preflight.c 's/S_ISUID/0/'
mutation 35-before-the-sanitizer e2e-sanitized-address-throws-under-locks analyzer/cli/sanitizer.c 's/return true;/return false;/'
mutation 36-for-all-to-read preload-private eventlog/sys.h 's/path, 0700/path, 0755/'
mutation 36-where-a-link-leads preload-private eventlog/log.c 's/if \(error != -EEXIST\)/if (1)/; s/return error;\n\}\n\nstatic int open_files/return error == -EEXIST ? 0 : error;\n}\n\nstatic int open_files/'

# ---- costs and accusations ----
mutation 37-an-unwinder preload-library preload/CMakeLists.txt 's/preload_options eventlog_writer\)/preload_options eventlog_writer -Wl,--no-as-needed unwind)/'
mutation 38-frame-pointers unwind_test $core/cfi.c 's/const uint8_t \*fde = find_fde/return (struct pl_rule){.kind = PL_RULE_FP, .cfa = 16, .fp = -16, .ra = -8};\n    $&/'
mutation 42-slots-used-once preload-lives_test eventlog/slots.c 's/slot = pop_free\(log\);/slot = NULL;/'
mutation 42-huge-pages preload-small_pages $core/record.c 's/    tables_small_pages\(\);\n//' eventlog/log.c 's/    el_sys_small_pages[^;]*;//' $core/arena.c 's/if \(tables\) /if (0) /'
mutation 43-a-stack-for-each preload-lives_test $core/stack.c 's/return id != 0 \? id : stack_walk\(self, call, first\);/return stack_walk(self, call, first);/; s/(static void near_fill.*?\n\{\n)/$1    if (near != NULL) return;\n/s'
mutation 44-any-wait-is-a-leak e2e-correct-daemons analyzer/rules/waiters.c 's/return el_wait_is_inside\(a->wait_kind\);/return 1;/'

# ---- the heap's search ----
mutation heap-second-look-sees-the-first e2e-heap-maps $heap/scan.c 's/if \(scan->before != NULL\)/if (0)/'
mutation heap-registers-not-laid-down preload-heap_marks_test $heap/heap.c 's/__builtin_unwind_init\(\);//'
mutation heap-marks-add-up preload-heap_marks_test $heap/scan.c 's/pl_heap_sites_unleak\(\);//'
mutation heap-no-search-at-marks preload-heap_marks_test,e2e-heap-sampled $wrap/announce.c 's/pl_heap_mark\(self\);//'
mutation heap-read-in-place e2e-heap-maps $core/sys.h 's/long got = pl_sys6\(SYS_process_vm_readv[^;]*;/long got = 0;\n    for (size_t i = 0; i < n; got += (long)parts[i++].iov_len)\n        __builtin_memcpy((char *)to + got, parts[i].iov_base, parts[i].iov_len);/'
mutation heap-asked-once e2e-heap-jemalloc $heap/heap.c 's/pl_allocator_tick\(self, block.at\);//'
