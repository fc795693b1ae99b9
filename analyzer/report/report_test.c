/*
 * report_test.c - what users see, against the files in golden/.
 *
 * With LOITER_GOLDEN_UPDATE in the environment the files are written anew, to be read in the diff.
 */
#include "analyzer/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/gate/made_findings.h"

static const struct rule leaked = {.id = "leaked-thread", .summary = "a thread never ends"};
static const struct rule ticker = {.id = "unstopped-ticker", .summary = "a timer runs on"};
static const struct rule *const rules[] = {&leaked, &ticker, NULL};

static struct model_process processes[2] = {
    {.pid = 100,
     .ppid = 1,
     .command = (char *)"./app --serve <&\033[2J\xff",
     .state = EL_RECORD_ENDED,
     .exited = true,
     .exit_status = 0,
     .events = 1234,
     .unwinds = 57,
     .threads_made = 4,
     .end_ns = 1500000000},
    {.pid = 101, .ppid = 100, .command = (char *)"./app worker", .state = EL_RECORD_ON},
};
static struct model_silent silent[] = {{102, '+'}, {103, '-'}, {104, '*'}};
static struct model model = {
    .processes = processes, .nprocesses = 2, .silent = silent, .nsilent = 3};

struct scene {
    struct findings all;
    struct suppressions suppressions;
    struct suppression line;
    struct baseline baseline;
    struct gate gate;
    struct record record;
    struct run_info run;
    struct report report;
};

static struct finding *leaked_threads(const struct model_process *p)
{
    struct finding *f = made_finding(&leaked, p, "app::Pool::wait<int>", GOLDEN "/source.txt");
    finding_set_title(f, "3 threads wait for a condition that nobody will signal");
    finding_set_kind(f, "condition");
    finding_set_fix(f, "Signal the condition when the pool closes, then join the threads.");
    f->confidence = CONFIDENCE_PROVEN;
    f->count = 3;
    f->last_ns = 1400000000;
    f->growth_per_s = 2;
    f->mark = xstrdup("test_pool <closes>");
    made_frame(&f->stacks[0], "start_thread", NULL, 0, "/lib/libc.so.6")->in_app = false;
    finding_add_stack(f, "created at", 2, false, "by the main thread");
    made_frame(&f->stacks[1], "grow", "/src/app/pool.c", 30, "/opt/app")->inlined = true;
    made_frame(&f->stacks[1], "main", "/src/app/main.c", 12, "/opt/app");
    struct finding_frame *raw = made_frame(&f->stacks[1], NULL, NULL, 0, "/opt/plugin.so");
    raw->address = 0x7f0000001234;
    raw->offset = 0x1234;
    finding_add_cost(f, "threads leaked", 3, "threads");
    finding_add_cost(f, "stack", 3.0 * 8 * 1024 * 1024, "bytes");
    finding_add_cost(f, "longest wait", 1.2e9, "ns");
    finding_add_evidence(f, "peer", "thread 2 signalled it last, and ended 1.1 s ago");
    finding_settle(f);
    return f;
}

static struct finding *plain(const char *function, const char *title, enum severity severity)
{
    struct finding *f = made_finding(&leaked, &processes[0], function, "/src/app/other.c");
    finding_set_title(f, "%s", title);
    f->severity = severity;
    return f;
}

static int build_scene(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    findings_add(&s->all, leaked_threads(&processes[0]));
    findings_add(&s->all, leaked_threads(&processes[1]));
    findings_add(&s->all, plain("slow", "a thread is slow", SEVERITY_WARNING));
    findings_add(&s->all, plain("minor", "a thread is idle", SEVERITY_NOTE));
    findings_add(&s->all, plain("hidden", "a hidden thread", SEVERITY_ERROR));
    struct finding *old = plain("old", "an old thread", SEVERITY_ERROR);
    findings_add(&s->all, old);
    s->line = (struct suppression){.rule = (char *)"*",
                                   .pattern = (char *)"hidden",
                                   .reason = (char *)"ticket 7",
                                   .file = (char *)"loiter.supp",
                                   .line = 4};
    s->suppressions = (struct suppressions){&s->line, 1};
    baseline_add(&s->baseline, &(struct baseline_entry){old->fingerprint, (char *)"leaked-thread",
                                                        old->title, NULL, (char *)"2026-01-02"});
    gate_judge(&s->gate, &s->all, &s->suppressions, &s->baseline, SEVERITY_ERROR);
    record_judge(&s->record, &model, 65536);
    s->run = (struct run_info){.command = (char *)"./app --serve",
                               .pid = 100,
                               .started_ns = 1767323045600000000,
                               .ended_ns = 1767323055850000000,
                               .exited = true};
    static const char *const warnings[] = {"loiter.supp:9: unused: leaked-thread:gone"};
    s->report = (struct report){.version = "0.1.0",
                                .log = "loiter.app.100",
                                .gate = &s->gate,
                                .model = &model,
                                .record = &s->record,
                                .run = &s->run,
                                .rules = rules,
                                .warnings = warnings,
                                .nwarnings = 1};
    *state = s;
    return 0;
}

static int clear_scene(void **state)
{
    struct scene *s = *state;
    gate_clear(&s->gate);
    record_clear(&s->record);
    baseline_clear(&s->baseline);
    free(s);
    return 0;
}

static char *read_golden(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    assert_non_null(in);
    assert_true(getdelim(&text, &room, '\0', in) > 0);
    fclose(in);
    return text;
}

/* The source tree's own path in the text becomes SOURCE. */
static char *without_tree(const char *text)
{
    char *clean = xcalloc(strlen(text) * 2 + 1, 1), *to = clean;
    while (*text) {
        if (strncmp(text, GOLDEN, strlen(GOLDEN)) == 0) {
            to = stpcpy(to, "SOURCE");
            text += strlen(GOLDEN);
        } else {
            *to++ = *text++;
        }
    }
    return clean;
}

static void compare(const char *raw, const char *name)
{
    char *text = without_tree(raw), *path = xasprintf("%s/%s", GOLDEN, name);
    if (getenv("LOITER_GOLDEN_UPDATE")) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
    }
    char *expected = read_golden(path);
    assert_string_equal(text, expected);
    free(expected);
    free(path);
    free(text);
}

static void check_text(const struct report *r, struct text_options o, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    o.frames_max = 20;
    report_text(out, r, &o);
    fclose(out);
    compare(text, name);
    free(text);
}

static void text_for_people(void **state)
{
    struct scene *s = *state;
    check_text(&s->report, (struct text_options){.excerpt = 2, .base_dir = "/src/app"},
               "report.txt");
    check_text(&s->report, (struct text_options){.color = true, .notes = true}, "color.txt");
    check_text(&s->report, (struct text_options){.columns = 50}, "narrow.txt");
}

/* A stack that the record does not have is left out, unless there is something to say of it. */
static void stacks_without_frames(void **state)
{
    struct scene *s = *state;
    char *text = NULL;
    size_t size = 0;
    struct finding *f = s->gate.items[0].finding;
    finding_add_stack(f, "woken at", 8, false, NULL);
    finding_add_stack(f, "lost at", 9, false, "by nobody");
    FILE *out = open_memstream(&text, &size);
    report_text(out, &s->report, &(struct text_options){.frames_max = 20});
    fclose(out);
    assert_null(strstr(text, "woken at"));
    assert_non_null(strstr(text, "lost at - by nobody:\n"));
    assert_null(strstr(text, "(no frames)"));
    free(text);
}

static void json_document(void **state)
{
    struct scene *s = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_json(out, &s->report);
    fclose(out);
    compare(text, "report.json");
    free(text);
}

static size_t count_text(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* Two findings of one rule in one function are two cases, not one that a server overwrites. */
static void junit_namesakes(void **state)
{
    (void)state;
    struct findings all = {0};
    struct gate gate;
    struct record record = {0};
    struct run_info run = {0};
    struct report report = {
        .gate = &gate, .model = &model, .record = &record, .run = &run, .rules = rules};
    char *text = NULL;
    size_t length;
    for (int i = 0; i < 2; i++) {
        struct finding *f = plain("same", "a thread", SEVERITY_ERROR);
        finding_set_kind(f, i ? "join" : "condition");
        finding_settle(f);
        findings_add(&all, f);
    }
    findings_add(&all, plain("other", "a thread", SEVERITY_ERROR));
    gate_judge(&gate, &all, &(struct suppressions){0}, &(struct baseline){0}, SEVERITY_ERROR);
    FILE *out = open_memstream(&text, &length);
    report_junit(out, &report);
    fclose(out);
    assert_int_equal(count_text(text, "name=\"same (v1:"), 2);
    assert_int_equal(count_text(text, "name=\"other\""), 1);
    free(text);
    gate_clear(&gate);
}

static void junit_document(void **state)
{
    struct scene *s = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    report_junit(out, &s->report);
    fclose(out);
    compare(text, "report.xml");
    free(text);
}

static const char *page_of(const char *rule)
{
    return strcmp(rule, "leaked-thread") == 0 ? "# leaked-thread\n\nWhat it is.\n" : NULL;
}

static void sarif_document(void **state)
{
    struct scene *s = *state;
    struct report r = s->report;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    r.page = page_of;
    report_sarif(out, &r, &(struct text_options){.base_dir = "/src/app"});
    fclose(out);
    compare(text, "report.sarif");
    free(text);
}

static void nothing_recorded_is_never_green(void **state)
{
    struct scene *s = *state;
    struct model none = {0};
    struct gate nothing = {0};
    struct record empty;
    struct run_info unknown = {0};
    struct report r = s->report;
    record_judge(&empty, &none, 0);
    assert_true(empty.empty && empty.incomplete);
    r.gate = &nothing;
    r.model = &none;
    r.record = &empty;
    r.run = &unknown;
    r.nwarnings = 0;
    r.log = NULL;
    check_text(&r, (struct text_options){.quiet = true}, "empty.txt");
    record_clear(&empty);
}

static void losses_make_a_record_incomplete(void **state)
{
    (void)state;
    static const struct model_process lossy[] = {
        {.pid = 1, .state = EL_RECORD_ENDED, .lost = 2},
        {.pid = 2, .state = EL_RECORD_STOPPED, .stop_reason = EL_STOP_DISK_FULL},
        {.pid = 3, .state = EL_RECORD_ENDED, .lost_cells = 1},
        {.pid = 4, .state = EL_RECORD_NONE},
    };
    for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++) {
        struct model_process p = lossy[i];
        struct model m = {.processes = &p, .nprocesses = 1};
        struct record r;
        record_judge(&r, &m, 0);
        assert_true(r.incomplete && !r.empty);
        record_clear(&r);
    }
}

static void reasons_are_bounded(void **state)
{
    (void)state;
    struct record r;
    record_judge(&r, &model, 0);
    assert_false(r.incomplete);
    for (int i = 0; i < 1000; i++)
        record_add_reason(&r, "a folder is damaged");
    assert_true(r.incomplete);
    assert_true(r.nreasons < 100);
    assert_int_equal(r.nreasons + r.more, 1000);
    record_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_people),       cmocka_unit_test(json_document),
        cmocka_unit_test(junit_document),        cmocka_unit_test(junit_namesakes),
        cmocka_unit_test(sarif_document),        cmocka_unit_test(nothing_recorded_is_never_green),
        cmocka_unit_test(reasons_are_bounded),   cmocka_unit_test(losses_make_a_record_incomplete),
        cmocka_unit_test(stacks_without_frames), /* the last: it adds to the finding */
    };
    return cmocka_run_group_tests(tests, build_scene, clear_scene);
}
