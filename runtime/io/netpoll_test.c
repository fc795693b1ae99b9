/* The netpoller from inside: what its users cannot tell apart by what they see. */
#include "runtime/io/netpoll.h"
#include "runtime/test/check.h"

static void kick_is_left_for_who_sleeps(void **state)
{
    struct weft__run run = {0};
    (void)state;
    assert_int_equal(weft__netpoll_open(&run), 0);
    weft__netpoll_kick(&run);
    weft__netpoll(&run, 0);
    int64_t before = weft_now();
    weft__netpoll(&run, 10 * WEFT_S);
    assert_true(weft_now() - before < 5 * WEFT_S);
    weft__netpoll_close(&run);
}

static void kick_ends_one_sleep(void **state)
{
    struct weft__run run = {0};
    (void)state;
    assert_int_equal(weft__netpoll_open(&run), 0);
    weft__netpoll_kick(&run);
    weft__netpoll_kick(&run);
    weft__netpoll(&run, 10 * WEFT_S);
    int64_t before = weft_now();
    weft__netpoll(&run, 20 * WEFT_MS);
    assert_true(weft_now() - before >= 20 * WEFT_MS);
    weft__netpoll_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kick_is_left_for_who_sleeps),
        cmocka_unit_test(kick_ends_one_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
