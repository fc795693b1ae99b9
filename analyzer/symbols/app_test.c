/* app_test.c - whose frame it is. */
#include "analyzer/symbols/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/rules/finding.h"

static bool is_app(const char *module, const char *function, const char *file, bool with_weft)
{
    struct finding_frame f = {
        .module = (char *)module, .function = (char *)function, .file = (char *)file};
    return app_frame(&f, with_weft);
}

static void libraries_of_the_system_are_not_the_program(void **state)
{
    (void)state;
    assert_false(is_app("/lib/x86_64-linux-gnu/libc.so.6", "read", NULL, false));
    assert_false(is_app("/lib/libc-2.31.so", "read", NULL, false));
    assert_false(is_app("/lib64/ld-linux-x86-64.so.2", NULL, NULL, false));
    assert_false(is_app("/usr/lib/libweft.so.0", "weft_go", NULL, false));
    assert_false(is_app("/opt/x/lib/libloiter.so", "pthread_create", NULL, false));
    assert_false(is_app("[vdso]", NULL, NULL, false));
    assert_false(is_app(NULL, NULL, NULL, false));
    assert_true(is_app("/usr/bin/app", "work", "/src/work.c", false));
    assert_true(is_app("/usr/lib/libcurl.so.4", "curl_easy_perform", NULL, false));
    assert_true(is_app("/usr/bin/libc-fan", "main", NULL, false));
}

static void weft_inside_a_program_is_told_by_its_sources(void **state)
{
    (void)state;
    assert_false(is_app("/b/app", "park", "/src/loiter/runtime/sched/park.c", true));
    assert_false(is_app("/b/app", "grow", "/src/loiter/runtime/map/map.c", true));
    assert_false(is_app("/b/app", "weft_go", NULL, true));
    assert_true(is_app("/b/app", "weft_users_own", "/src/app/main.c", true));
    /* Somebody else's runtime folder is somebody else's code. */
    assert_true(is_app("/b/app", "park", "/src/game/runtime/sched/park.c", false));
    assert_true(is_app("/b/app", "park", "/src/runtime/physics/park.c", true));
}

static void code_of_a_language_is_not_the_program(void **state)
{
    (void)state;
    assert_false(is_app("/b/app", "std::thread::thread", "/usr/include/c++/12/thread", false));
    assert_false(is_app("/b/app", "__gthread_mutex_lock",
                        "/usr/include/x86_64-linux-gnu/c++/12/bits/gthr-default.h", false));
    assert_false(is_app("/b/app", "read", "/usr/include/x86_64-linux-gnu/bits/unistd.h", false));
    assert_false(is_app("/b/app", "read", "/usr/include/bits/unistd.h", false));
    assert_true(is_app("/b/app", "get", "/usr/include/x86_64-linux-gnu/mylib/get.h", false));
    assert_true(is_app("/b/app", "get", "/src/include/tools/bits/get.h", false));
    assert_false(is_app("/b/app", "std::this_thread::sleep_for<long>", NULL, false));
    assert_false(is_app("/b/app", "__gthread_mutex_lock", NULL, false));
    assert_false(is_app("/b/app", "core::ops::function::FnOnce::call_once", NULL, false));
    assert_false(is_app("/b/app", "<std::sys::sync::condvar::futex::Condvar>::wait", NULL, false));
    assert_false(
        is_app("/b/app", "<alloc::vec::Vec<u8> as core::clone::Clone>::clone", NULL, false));
    assert_true(is_app("/b/app", "<alloc::vec::Vec<u8> as app::Store>::put", NULL, false));
    assert_true(is_app("/b/app", "<app::Job<u32>>::wait_for", NULL, false));
    assert_true(is_app("/b/app", "store::Journal<std::string>::append", NULL, false));
    assert_true(is_app("/b/app", "std::hash<key>::operator()", "/src/app/key.h", false));
    assert_true(is_app("/b/app", "standing", NULL, false));
    assert_false(is_app("/b/app", "std::rt", "/rustc/90c5/library/std/src/rt.rs", false));
    assert_false(is_app("/b/app", "_start", NULL, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libraries_of_the_system_are_not_the_program),
        cmocka_unit_test(weft_inside_a_program_is_told_by_its_sources),
        cmocka_unit_test(code_of_a_language_is_not_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
