/* Labels of tasks. */
#include "runtime/test/check.h"

enum { CHILDREN = 50 };

static struct weft_waitgroup wg;

static int label_is(const char *key, const char *value)
{
    const char *is = weft_label(key);
    return value ? is && strcmp(is, value) == 0 : !is;
}

static void grandchild(void *arg)
{
    (void)arg;
    CHECK(label_is("request", "7") && label_is("part", "search"));
}

static void child(void *arg)
{
    (void)arg;
    CHECK(label_is("request", "7") && label_is("part", NULL));
    CHECK(weft_set_label("part", "search") == 0);
    CHECK(weft_waitgroup_go(&wg, grandchild, NULL) == 0);
    weft_yield();
    CHECK(weft_set_label("request", "8") == 0 && label_is("request", "8"));
}

static void labelled(void *arg)
{
    CHECK(label_is("step", arg) && label_is("request", "7"));
    CHECK(weft_set_label("request", "9") == 0);
}

TASK_TEST(children_inherit_what_there_is_then)
{
    CHECK(label_is("request", NULL));
    CHECK(weft_set_label("request", "7") == 0);
    for (int i = 0; i < CHILDREN; i++)
        CHECK(weft_waitgroup_go(&wg, child, NULL) == 0);
    CHECK(weft_do_labelled("step", "one", labelled, "one") == 0);
    CHECK(label_is("step", NULL) && label_is("request", "7"));
    CHECK(weft_set_label("request", NULL) == 0 && label_is("request", NULL));
    CHECK(weft_set_label("request", NULL) == 0);
    CHECK(weft_do_labelled("request", "7", labelled, NULL) == 0 && label_is("request", NULL));
    weft_waitgroup_wait(&wg);
}

TASK_TEST(any_number)
{
    char key[16], value[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
            snprintf(key, sizeof key, "k%d", i);
            snprintf(value, sizeof value, "%d", i * i + round);
            CHECK(weft_set_label(key, value) == 0);
        }
        for (int i = 0; i < 40; i++) {
            snprintf(key, sizeof key, "k%d", i);
            snprintf(value, sizeof value, "%d", i * i + round);
            CHECK(label_is(key, value));
        }
    }
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK(weft_set_label(key, NULL) == 0 && label_is(key, NULL));
    }
    CHECK(weft_set_label("", "") == 0 && label_is("", ""));
}

static void outside(void **state)
{
    (void)state;
    CHECK(weft_set_label("a", "b") == -ESRCH && !weft_label("a"));
    CHECK(weft_do_labelled("a", "b", labelled, NULL) == -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_inherit_what_there_is_then),
        cmocka_unit_test(any_number),
        cmocka_unit_test(outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
