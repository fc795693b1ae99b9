/* finding_test.c - ownership of what a finding holds, its place and its fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/rules/rule.h"

static const struct rule rule_a = {.id = "rule-a", .severity = SEVERITY_WARNING};
static const struct rule rule_b = {.id = "rule-b", .severity = SEVERITY_ERROR};

static struct finding_frame frame(const char *function, unsigned line, uint64_t address,
                                  bool in_app)
{
    return (struct finding_frame){.address = address,
                                  .function = function != NULL ? strdup(function) : NULL,
                                  .file = strdup("a.c"),
                                  .module = strdup("/bin/program"),
                                  .offset = address & 0xfff,
                                  .line = line,
                                  .in_app = in_app};
}

/* A finding of one stack: libc's wait, then `inner`, then main. */
static struct finding *sample(const struct rule *rule, const char *kind, const char *inner,
                              unsigned line, uint64_t base)
{
    struct finding *f = finding_create(rule, NULL);
    finding_set_kind(f, kind);
    finding_add_stack(f, "blocked at", 7, true, NULL);
    struct finding_stack *s = &f->stacks[0];
    s->frames = calloc(3, sizeof *s->frames);
    s->nframes = 3;
    s->frames[0] = frame("pthread_cond_wait", 1, base + 1, false);
    s->frames[1] = frame(inner, line, base + 2, true);
    s->frames[2] = frame("main", line + 1, base + 3, true);
    finding_settle(f);
    return f;
}

static void test_parts(void **state)
{
    (void)state;
    struct findings all = {0};
    struct finding *f = finding_create(&rule_a, NULL);
    assert_int_equal(f->severity, SEVERITY_WARNING);
    finding_set_title(f, "%d tasks", 3);
    finding_set_title(f, "%d tasks wait", 4);
    finding_set_fix(f, "close %s", "it");
    for (int i = 0; i < 40; i++) {
        finding_add_evidence(f, "number", "%d", i);
        finding_add_cost(f, "cost", i, "bytes");
        finding_add_stack(f, "at", (uint32_t)i, i >= 2, i == 5 ? "note" : NULL);
    }
    assert_string_equal(f->title, "4 tasks wait");
    assert_string_equal(f->fix, "close it");
    assert_int_equal(f->nevidence, 40);
    assert_string_equal(f->evidence[39].text, "39");
    assert_string_equal(f->evidence[0].text, "0");
    assert_true(f->costs[33].amount == 33);
    assert_int_equal(f->nstacks, 39); /* id 0 is ignored */
    assert_false(f->stacks[0].primary);
    assert_true(f->stacks[1].primary);
    assert_false(f->stacks[2].primary); /* only the first */
    assert_string_equal(f->stacks[4].note, "note");
    findings_add(&all, f);
    for (int i = 0; i < 20; i++)
        findings_add(&all, finding_create(&rule_b, NULL));
    assert_int_equal(all.n, 21);
    assert_ptr_equal(all.items[0], f);
    findings_clear(&all);
    assert_int_equal(all.n, 0);
    finding_destroy(NULL);
}

static void test_place(void **state)
{
    (void)state;
    struct finding *f = sample(&rule_a, "cond", "wait_for_work", 10, 0x1000);
    assert_ptr_equal(f->place, &f->stacks[0].frames[1]);
    for (int i = 0; i < 3; i++)
        f->stacks[0].frames[i].in_app = false;
    finding_settle(f);
    assert_ptr_equal(f->place, &f->stacks[0].frames[0]);
    finding_destroy(f);

    /* A library without its source, called by a program that has it: the program's line. */
    f = sample(&rule_a, "cond", "wait_for_work", 10, 0x1000);
    f->stacks[0].frames[0].in_app = true;
    free(f->stacks[0].frames[0].file);
    f->stacks[0].frames[0].file = NULL;
    finding_settle(f);
    assert_ptr_equal(f->place, &f->stacks[0].frames[1]);
    /* Where nothing has a source, the nearest. */
    for (int i = 1; i < 3; i++) {
        free(f->stacks[0].frames[i].file);
        f->stacks[0].frames[i].file = NULL;
    }
    finding_settle(f);
    assert_ptr_equal(f->place, &f->stacks[0].frames[0]);
    finding_destroy(f);

    f = finding_create(&rule_a, NULL);
    finding_settle(f);
    assert_null(f->place);
    finding_destroy(f);
}

static void check_fingerprint(struct finding *a, struct finding *b, bool equal)
{
    assert_int_equal(strncmp(a->fingerprint, "v1:", 3), 0);
    assert_int_equal(strcmp(a->fingerprint, b->fingerprint) == 0, equal);
    finding_destroy(b);
}

static void test_fingerprint(void **state)
{
    (void)state;
    struct finding *a = sample(&rule_a, "cond", "wait_for_work", 10, 0x1000);
    /* Other lines and addresses: the same finding. */
    check_fingerprint(a, sample(&rule_a, "cond", "wait_for_work", 99, 0x555000), true);
    check_fingerprint(a, sample(&rule_b, "cond", "wait_for_work", 10, 0x1000), false);
    check_fingerprint(a, sample(&rule_a, "sem", "wait_for_work", 10, 0x1000), false);
    check_fingerprint(a, sample(&rule_a, "cond", "wait_for_answer", 10, 0x1000), false);
    /* Names of frames that are not the program's do not count. */
    struct finding *b = sample(&rule_a, "cond", "wait_for_work", 10, 0x1000);
    free(b->stacks[0].frames[0].function);
    b->stacks[0].frames[0].function = strdup("__pthread_cond_wait_internal");
    finding_settle(b);
    check_fingerprint(a, b, true);
    finding_destroy(a);
}

/* A lock that `log_line` takes and waits under, called by `caller`. */
static struct finding *locked(const struct rule *rule, const char *caller, uint64_t base)
{
    struct finding *f = finding_create(rule, NULL);
    for (unsigned i = 0; i < 2; i++) {
        finding_add_stack(f, i == 0 ? "waits at" : "acquired at", i + 1, true, NULL);
        struct finding_stack *s = &f->stacks[i];
        s->frames = calloc(3, sizeof *s->frames);
        s->nframes = 3;
        s->frames[0] = frame("log_line", 10 + i, base + i, true);
        s->frames[1] = frame(caller, 20, base + 0x10, true);
        s->frames[2] = frame("main", 30, base + 0x20, true);
    }
    finding_settle(f);
    return f;
}

/* Where a rule says so, who called the helper in which it happens makes no other finding. */
static void test_fingerprint_without_callers(void **state)
{
    static const struct rule aside = {.id = "rule-a", .callers_aside = true};
    (void)state;
    struct finding *a = locked(&aside, "serve", 0x1000);
    check_fingerprint(a, locked(&aside, "reload", 0x2000), true);
    /* Taken by the caller: it is part of what is wrong. */
    struct finding *outer = locked(&aside, "reload", 0x2000);
    outer->stacks[1].frames[1].line = 21;
    finding_settle(outer);
    check_fingerprint(a, outer, false);
    finding_destroy(a);
    a = locked(&rule_a, "serve", 0x1000);
    check_fingerprint(a, locked(&rule_a, "reload", 0x2000), false);
    finding_destroy(a);
}

/* In a stripped program two places of one module must not become one finding. */
static void test_fingerprint_without_names(void **state)
{
    (void)state;
    struct finding *a = sample(&rule_a, "cond", NULL, 10, 0x1000);
    struct finding *same = sample(&rule_a, "cond", NULL, 10, 0x7000);
    struct finding *other = sample(&rule_a, "cond", NULL, 10, 0x1100);
    check_fingerprint(a, same, true);
    check_fingerprint(a, other, false);
    finding_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_fingerprint_without_names),
        cmocka_unit_test(test_fingerprint_without_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
