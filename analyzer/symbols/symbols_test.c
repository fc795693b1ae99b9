/*
 * symbols_test.c - addresses of a real program, with and without its debug information.
 */
#include "analyzer/symbols/symbols.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"
#include "analyzer/symbols/locate.h"

static const struct rule some_rule = {.id = "some-rule"};

/* What the fixture printed. */
static uint64_t bias, inlined_at, tail_at;
static unsigned inlined_line, tail_line;
static char dir[] = "/tmp/symbols_test.XXXXXX";

__attribute__((format(printf, 1, 2))) static void shell(const char *fmt, ...)
{
    char command[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof(command), fmt, ap);
    va_end(ap);
    assert_int_equal(system(command), 0);
}

static int run_fixture(void **state)
{
    (void)state;
    FILE *out = popen(FIXTURE, "r");
    char label[32];
    uint64_t address;
    unsigned line;
    assert_non_null(out);
    while (fscanf(out, "%31s %" SCNx64 " %u", label, &address, &line) == 3) {
        if (strcmp(label, "bias") == 0)
            bias = address;
        else if (strcmp(label, "inlined") == 0)
            inlined_at = address, inlined_line = line;
        else if (strcmp(label, "tail") == 0)
            tail_at = address, tail_line = line;
    }
    assert_int_equal(pclose(out), 0);
    assert_true(inlined_at != 0 && tail_at != 0);
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    shell("rm -rf %s", dir);
    return 0;
}

struct named {
    struct model_process process;
    struct model_module module;
    struct model_stack *stacks[2];
    struct symbols *symbols;
    struct finding *finding;
};

/* Names one return address in the module at `path`, which ran with `build_id`. */
static struct named *name_one(const char *path, const char *build_id, uint64_t address,
                              const char *debug_dir)
{
    struct named *n = xcalloc(1, sizeof(*n));
    n->module = (struct model_module){.lo = bias,
                                      .hi = bias + 0x100000,
                                      .bias = bias,
                                      .until_ns = UINT64_MAX,
                                      .path = (char *)path,
                                      .build_id = (char *)build_id};
    n->stacks[1] = xcalloc(1, sizeof(struct model_stack) + sizeof(uint64_t));
    n->stacks[1]->depth = 1;
    n->stacks[1]->frames[0] = address;
    n->process.modules = &n->module;
    n->process.nmodules = 1;
    n->process.stacks = n->stacks;
    n->process.nstacks = 2;
    n->symbols = symbols_create(&debug_dir, debug_dir ? 1 : 0);
    n->finding = finding_create(&some_rule, &n->process);
    finding_add_stack(n->finding, "at", 1, true, NULL);
    symbols_name(n->symbols, n->finding);
    finding_settle(n->finding);
    return n;
}

static void forget(struct named *n)
{
    finding_destroy(n->finding);
    symbols_destroy(n->symbols);
    free(n->stacks[1]);
    free(n);
}

static void check_inlined(const struct named *n)
{
    const struct finding_stack *s = &n->finding->stacks[0];
    assert_int_equal(s->nframes, 3);
    assert_string_equal(s->frames[0].function, "leaf");
    assert_string_equal(s->frames[1].function, "middle");
    assert_string_equal(s->frames[2].function, "outer");
    assert_true(s->frames[0].inlined && s->frames[1].inlined && !s->frames[2].inlined);
    assert_int_equal(s->frames[0].line, inlined_line);
    assert_true(s->frames[1].line > s->frames[0].line);
    assert_true(s->frames[2].line > s->frames[1].line);
    assert_non_null(strstr(s->frames[0].file, "symbols_fixture.c"));
    assert_true(s->frames[0].in_app);
    assert_ptr_equal(n->finding->place, &s->frames[0]);
}

/* The first of the tests: nothing has set up libelf by then. */
static void a_log_without_build_id_trusts_the_path(void **state)
{
    (void)state;
    struct named *n = name_one(FIXTURE, NULL, inlined_at, NULL);
    check_inlined(n);
    forget(n);
}

static size_t notes_of(const struct named *n, const char *const **notes)
{
    return symbols_notes(n->symbols, notes);
}

static void inlined_calls_are_frames(void **state)
{
    (void)state;
    char *id = locate_build_id(FIXTURE);
    const char *const *notes;
    struct named *n = name_one(FIXTURE, id, inlined_at, NULL);
    check_inlined(n);
    assert_int_equal(notes_of(n, &notes), 0);
    forget(n);
    free(id);
}

/* The call is the function's last instruction: the return address lies behind it. */
static void the_call_is_looked_up_and_not_what_follows(void **state)
{
    (void)state;
    char *id = locate_build_id(FIXTURE);
    struct named *n = name_one(FIXTURE, id, tail_at, NULL);
    assert_string_equal(n->finding->place->function, "never_returns");
    assert_int_equal(n->finding->place->line, tail_line);
    forget(n);
    free(id);
}

static void stripped_with_debug_link(void **state)
{
    (void)state;
    char *id = locate_build_id(FIXTURE), path[256];
    shell("cd %s && " OBJCOPY " --only-keep-debug " FIXTURE " linked.debug && " OBJCOPY
          " --strip-all --add-gnu-debuglink=linked.debug " FIXTURE " linked",
          dir);
    snprintf(path, sizeof(path), "%s/linked", dir);
    struct named *n = name_one(path, id, inlined_at, NULL);
    check_inlined(n);
    forget(n);
    free(id);
}

static void stripped_with_build_id_directory(void **state)
{
    (void)state;
    char *id = locate_build_id(FIXTURE), path[256], debug[256];
    shell("cd %s && mkdir -p d/.build-id/%.2s && " OBJCOPY " --only-keep-debug " FIXTURE
          " d/.build-id/%.2s/%s.debug && " OBJCOPY " --strip-all " FIXTURE " stripped",
          dir, id, id, id + 2);
    snprintf(path, sizeof(path), "%s/stripped", dir);
    snprintf(debug, sizeof(debug), "%s/d", dir);
    struct named *n = name_one(path, id, inlined_at, debug);
    check_inlined(n);
    forget(n);

    /* The program itself is not on this machine: its debug file is enough. */
    n = name_one("/nonexistent/program", id, inlined_at, debug);
    check_inlined(n);
    forget(n);

    /* Nothing but the program, which has no names left. */
    n = name_one(path, id, inlined_at, NULL);
    assert_null(n->finding->place->function);
    assert_string_equal(n->finding->place->module, path);
    assert_int_equal(n->finding->place->offset, inlined_at - 1 - bias);
    forget(n);
    free(id);
}

static void another_build_gives_no_names(void **state)
{
    (void)state;
    const char *const *notes;
    struct named *n = name_one(FIXTURE, "0123456789abcdef", inlined_at, NULL);
    assert_null(n->finding->place->function);
    assert_string_equal(n->finding->place->module, FIXTURE);
    assert_int_equal(notes_of(n, &notes), 1);
    assert_non_null(strstr(notes[0], "is not the file that ran"));
    forget(n);
}

static void a_missing_file_gives_a_note_and_may_lie_elsewhere(void **state)
{
    (void)state;
    char *id = locate_build_id(FIXTURE);
    const char *const *notes;
    struct named *n = name_one("/nonexistent/symbols_fixture", id, inlined_at, NULL);
    assert_null(n->finding->place->function);
    assert_int_equal(notes_of(n, &notes), 1);
    assert_non_null(strstr(notes[0], "--debug-dir"));
    forget(n);

    shell("mkdir -p %s/copies && cp " FIXTURE " %s/copies/", dir, dir);
    char copies[256];
    snprintf(copies, sizeof(copies), "%s/copies", dir);
    n = name_one("/nonexistent/symbols_fixture", id, inlined_at, copies);
    check_inlined(n);
    forget(n);
    free(id);
}

static void what_is_no_program_is_survived(void **state)
{
    (void)state;
    char path[256];
    shell("mkfifo %s/fifo && echo text > %s/text", dir, dir);
    snprintf(path, sizeof(path), "%s/fifo", dir);
    struct named *n = name_one(path, NULL, inlined_at, NULL);
    assert_null(n->finding->place->function);
    forget(n);
    snprintf(path, sizeof(path), "%s/text", dir);
    n = name_one(path, NULL, inlined_at, NULL);
    assert_null(n->finding->place->function);
    forget(n);
    /* Outside every module. */
    n = name_one(FIXTURE, NULL, bias - 1, NULL);
    assert_null(n->finding->place->module);
    assert_false(n->finding->place->in_app);
    forget(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_without_build_id_trusts_the_path),
        cmocka_unit_test(inlined_calls_are_frames),
        cmocka_unit_test(the_call_is_looked_up_and_not_what_follows),
        cmocka_unit_test(stripped_with_debug_link),
        cmocka_unit_test(stripped_with_build_id_directory),
        cmocka_unit_test(another_build_gives_no_names),
        cmocka_unit_test(a_missing_file_gives_a_note_and_may_lie_elsewhere),
        cmocka_unit_test(what_is_no_program_is_survived),
    };
    return cmocka_run_group_tests(tests, run_fixture, remove_dir);
}
