/*
 * comparison_test.c - two sides made by hand: rows, findings, bars, and the three reports against
 * the files in golden/.
 *
 * With LOITER_GOLDEN_UPDATE in the environment the files are written anew, to be read in the diff.
 */
#include "analyzer/compare/cells.h"
#include "analyzer/compare/comparison.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/compare/compare_report.h"
#include "analyzer/gate/gate.h"
#include "analyzer/gate/made_findings.h"

static const struct rule leaked = {.id = "leaked-task", .summary = "a task never ends"};
static const struct model_process *const no_process;

static struct finding *made(const char *function, enum severity severity, uint64_t count)
{
    struct finding *f = made_finding(&leaked, no_process, function, "/src/<pool>.c");
    finding_set_title(f, "%d tasks wait | for ever", (int)count);
    f->severity = severity;
    f->count = count;
    finding_add_cost(f, "tasks leaked", (double)count, "tasks");
    return f;
}

/* A run with these values of wall, max_rss, tasks, rate; and findings. */
static void add_run(struct comparison *c, enum side side, const double values[4],
                    struct findings *found)
{
    double *v = xcalloc(c->metrics.n, sizeof(*v));
    struct suppressions none = {0};
    struct baseline empty = {0};
    struct gate gate;
    v[METRIC_wall] = values[0];
    v[METRIC_max_rss] = values[1];
    v[METRIC_tasks] = values[2];
    v[METRICS_BUILTIN] = values[3];
    gate_judge(&gate, found, &none, &empty, SEVERITY_ERROR);
    comparison_add_run(c, side, v, &gate);
    gate_clear(&gate);
}

/* Five runs a side: the time falls, the memory is noise, the tasks are the same, the rate falls. */
static const double before_runs[5][4] = {{2e9, 50e6, 10, 100},
                                         {2.2e9, 51e6, 10, 101},
                                         {2.1e9, 52e6, 10, 99},
                                         {2.3e9, 48e6, 10, 102},
                                         {1.9e9, 49e6, 10, 98}};
static const double after_runs[5][4] = {{1e9, 50.5e6, 10, 80},
                                        {1.1e9, 49.5e6, 10, 81},
                                        {0.9e9, 51.5e6, 10, 79},
                                        {1.2e9, 48.5e6, 10, 82},
                                        {1e9, 52.5e6, 10, NAN}};

static int build(void **state)
{
    struct comparison *c = xcalloc(1, sizeof(*c));
    comparison_init(c);
    assert_null(metrics_add_printed(&c->metrics, "rate:more"));
    c->label[BEFORE] = "./old @all";
    c->label[AFTER] = "./new --fast";
    for (size_t i = 0; i < 5; i++) {
        struct findings before = {0}, after = {0};
        findings_add(&before, made("kept", SEVERITY_WARNING, 10 + i));
        findings_add(&before, made("note", SEVERITY_NOTE, 1));
        if (i == 2)
            findings_add(&before, made("gone", SEVERITY_ERROR, 100));
        findings_add(&after, made("kept", SEVERITY_WARNING, 3));
        if (i > 2)
            findings_add(&after, made("new", SEVERITY_ERROR, i));
        add_run(c, BEFORE, before_runs[i], &before);
        add_run(c, AFTER, after_runs[i], &after);
    }
    *state = c;
    return 0;
}

static int clear(void **state)
{
    comparison_clear(*state);
    free(*state);
    return 0;
}

static const struct comparison_row *row(const struct comparison *c, const char *name)
{
    for (size_t i = 0; i < c->nrows; i++)
        if (strcmp(c->rows[i].metric->name, name) == 0)
            return &c->rows[i];
    fail_msg("no row %s", name);
    return NULL;
}

static void changes_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        double after;
        const char *told;
    } cases[] = {{1.0628, "+6.28%"},  {1.628, "+62.8%"}, {3.4579, "+246%"}, {2, "+100%"},
                 {0.0005, "-99.95%"}, {0, "-100%"},      {12, "x12.0"},     {0.5, "-50.0%"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct comparison_row r = {.both = true, .change = cases[i].after - 1};
        r.summary[BEFORE].median = 1;
        r.summary[AFTER].median = cases[i].after;
        char *told = cell_change(&r);
        assert_string_equal(told, cases[i].told);
        free(told);
    }
}

static void rows(void **state)
{
    struct comparison *c = *state;
    comparison_settle(c);
    assert_int_equal(c->nrows, 4); /* what is 0 throughout has none */
    const struct comparison_row *wall = row(c, "wall"), *rss = row(c, "max_rss"),
                                *tasks = row(c, "tasks"), *rate = row(c, "rate");
    assert_true(wall->significant && wall->better == 1);
    assert_true(fabs(wall->change + 1.1 / 2.1) < 1e-9);
    assert_true(!rss->significant && rss->better == 0 && rss->can_tell);
    assert_true(tasks->p >= 1 && tasks->better == 0 && !tasks->significant);
    assert_true(rate->better == -1 && rate->n[AFTER] == 4);
}

static void findings(void **state)
{
    struct comparison *c = *state;
    assert_int_equal(c->nfindings, 3); /* notes are left out */
    for (int fate = 0; fate < FINDING_FATES; fate++)
        assert_int_equal(comparison_count(c, (enum finding_fate)fate), 1);
    comparison_settle(c);
    assert_int_equal(c->findings[0].severity, SEVERITY_ERROR);
    const struct comparison_finding *kept = &c->findings[2];
    assert_int_equal(comparison_fate(kept), FINDING_KEPT);
    assert_true(kept->count[BEFORE] == 14 && kept->count[AFTER] == 3);
    assert_true(kept->runs[BEFORE] == 5 && kept->runs[AFTER] == 5);
    assert_string_equal(kept->cost[BEFORE], "tasks leaked: 14");
}

static void bars(void **state)
{
    static const struct {
        const char *text;
        bool broken;
    } table[] = {
        {"wall>+10%", false},      {"rate<-10%", true},    {"rate<-30%", false},
        {"max_rss>+0.01%", false}, /* chance explains it */
        {"max_rss>40M", true},     {"tasks>+0", false},    {"tasks>9", true},
        {"threads>0", false},      {"new_errors>0", true}, {"new_findings>1", false},
    };
    struct comparison *c = *state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_null(comparison_add_bar(c, table[i].text));
    comparison_settle(c);
    for (size_t i = 0; i < c->nbars; i++) {
        if (c->bars[i].broken != table[i].broken)
            fail_msg("%s", table[i].text);
        assert_int_equal(c->bars[i].why != NULL, table[i].broken);
    }
    assert_true(comparison_is_worse(c));
}

/* What nobody measured is no reason to be content. */
static void unknown_breaks_a_bar(void **state)
{
    (void)state;
    static const double known[4] = {1e9, 1, 1, 5}, unknown[4] = {NAN, 1, 1, NAN};
    struct comparison c;
    struct findings none = {0};
    comparison_init(&c);
    assert_null(metrics_add_printed(&c.metrics, "rate:more"));
    add_run(&c, BEFORE, known, &none);
    add_run(&c, AFTER, unknown, &none);
    assert_null(comparison_add_bar(&c, "wall>+10%"));
    assert_null(comparison_add_bar(&c, "rate<-10%"));
    comparison_settle(&c);
    assert_true(c.bars[0].broken && c.bars[1].broken);
    assert_string_equal(c.bars[0].why, "wall is not known of both sides");
    comparison_clear(&c);
}

/* One run a side: medians alone decide. */
static void single_runs(void **state)
{
    (void)state;
    static const double less[4] = {1e9, 1, 10, 5}, more[4] = {3e9, 1, 200, 5};
    struct comparison c;
    struct findings none = {0};
    comparison_init(&c);
    assert_null(metrics_add_printed(&c.metrics, "rate:more"));
    add_run(&c, BEFORE, less, &none);
    add_run(&c, AFTER, more, &none);
    assert_null(comparison_add_bar(&c, "tasks>+10%"));
    comparison_settle(&c);
    assert_true(c.bars[0].broken && row(&c, "tasks")->better == -1);
    assert_false(row(&c, "tasks")->significant);
    comparison_clear(&c);
}

static void check_golden(const char *text, const char *name)
{
    char *path = xasprintf("%s/%s", GOLDEN, name), *expected = NULL;
    size_t room = 0;
    if (getenv("LOITER_GOLDEN_UPDATE")) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
    }
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_true(getdelim(&expected, &room, '\0', in) > 0);
    fclose(in);
    assert_string_equal(text, expected);
    free(expected);
    free(path);
}

static void reports(void **state)
{
    static const char *const names[] = {"comparison.txt", "color.txt", "comparison.md",
                                        "comparison.json"};
    struct comparison *c = *state;
    assert_null(comparison_add_bar(c, "rate<-10%"));
    comparison_warn(c, xstrdup("./old @all exited with 1"));
    comparison_settle(c);
    for (int form = 0; form < 4; form++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        if (form < 2)
            compare_text(out, c, form == 1);
        else if (form == 2)
            compare_markdown(out, c);
        else
            compare_json(out, c, "0.1.0");
        fclose(out);
        check_golden(text, names[form]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_have_three_digits),
        cmocka_unit_test_setup_teardown(rows, build, clear),
        cmocka_unit_test_setup_teardown(findings, build, clear),
        cmocka_unit_test_setup_teardown(bars, build, clear),
        cmocka_unit_test_setup_teardown(reports, build, clear),
        cmocka_unit_test(unknown_breaks_a_bar),
        cmocka_unit_test(single_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
