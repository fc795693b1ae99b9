/*
 * session_options.c - the options of session.h.
 */
#include <ctype.h>
#include <inttypes.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/session.h"
#include "analyzer/model/memory.h"

enum {
    KEY_FORCE = 0x300,
    KEY_TIMEOUT,
    KEY_NO_FOLLOW,
    KEY_LOG_SIZE,
    KEY_DEPTH,
    KEY_OPTION,
    KEY_HEAP,
    KEY_ALLOCATOR,
    KEY_DELAY,
    KEY_WINDOW,
    KEY_SAMPLE
};

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "where the log goes (loiter.NAME.PID)", 1},
    {"force", KEY_FORCE, 0, 0, "replace the record that is in the directory of -o", 1},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0,
     "the program hangs if it runs longer: judge it as it stands and end it", 1},
    {"no-follow", KEY_NO_FOLLOW, 0, 0, "do not record the program's children", 1},
    {"max-log-size", KEY_LOG_SIZE, "SIZE", 0,
     "bytes of disk for one process, with K, M or G (256M)", 1},
    {"delay", KEY_DELAY, "SECONDS", 0, "do not record waits before", 1},
    {"window", KEY_WINDOW, "SECONDS", 0, "record waits for so long", 1},
    {"sample", KEY_SAMPLE, "ON/EVERY", 0,
     "record waits for ON seconds of each EVERY seconds, such as 1/10", 1},
    {"stack-depth", KEY_DEPTH, "N", 0, "frames recorded of a stack, up to 64 (32)", 1},
    {"heap", KEY_HEAP, "MODE", 0,
     "blocks of memory looked at: off, sampled (the default), or full: each with its stack", 1},
    {"allocator", KEY_ALLOCATOR, "WHICH", 0,
     "what serves the program's malloc: program (its own, the default), or jemalloc", 1},
    {"record-option", KEY_OPTION, "NAME=VALUE", 0, "set an option of the library", 1},
    {0}};

static const char *const library_options[] = {
#define EL_OPTION(name, preset, least, most, text) #name,
#include "eventlog/options.def"
#undef EL_OPTION
    NULL};

/* The library cannot say in the program that it does not know one. */
static void check_library_option(struct argp_state *state, const char *text)
{
    const char *value = strchr(text, '=');
    if (!value || !isdigit((unsigned char)value[1]) || strchr(text, ','))
        argp_error(state, "--record-option: expected NAME=VALUE, a number: \"%s\"", text);
    char *name = xstrndup(text, strcspn(text, "="));
    command_word(state, "record-option", name, library_options);
    free(name);
}

static void add_library_option(struct session_options *o, char *text)
{
    if (!o->library_options) {
        o->library_options = text;
        return;
    }
    char *both = xasprintf("%s,%s", o->library_options, text);
    free(o->library_options);
    free(text);
    o->library_options = both;
}

static uint64_t parse_size(struct argp_state *state, const char *text)
{
    char *end;
    uint64_t value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    unsigned shift = 0;
    if (value) {
        const char *units = "KMG",
                   *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
        if (unit)
            shift = 10 * (unsigned)(unit - units + 1);
        if ((*end && !unit) || (unit && end[1]) || value > (UINT64_MAX >> shift))
            value = 0;
    }
    if (!value)
        argp_error(state, "--max-log-size: expected a size such as 64M: \"%s\"", text);
    return value << shift;
}

/* Numbers as in eventlog/options.def. */
static int parse_heap(struct argp_state *state, const char *text)
{
    static const char *const modes[] = {"off", "sampled", "full"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(text, modes[i]) == 0)
            return (int)i;
    argp_error(state, "--heap: expected off, sampled or full: \"%s\"", text);
    return 0;
}

static bool parse_allocator(struct argp_state *state, const char *text)
{
    if (strcmp(text, "program") != 0 && strcmp(text, "jemalloc") != 0)
        argp_error(state, "--allocator: expected program or jemalloc: \"%s\"", text);
    return strcmp(text, "jemalloc") == 0;
}

/* Seconds as an option of the library in milliseconds. */
static void add_time(struct session_options *o, struct argp_state *state, const char *option,
                     const char *name, const char *arg)
{
    double seconds = command_number(state, option, arg, 0.001, 1e6);
    add_library_option(o, xasprintf("%s=%.0f", name, seconds * 1000));
}

static void add_sample(struct session_options *o, struct argp_state *state, const char *arg)
{
    const char *slash = strchr(arg, '/');
    if (!slash)
        argp_error(state, "--sample: expected ON/EVERY in seconds, such as 1/10: \"%s\"", arg);
    char *on = xstrndup(arg, (size_t)(slash - arg));
    add_time(o, state, "--sample", "sample_on_ms", on);
    add_time(o, state, "--sample", "sample_every_ms", slash + 1);
    free(on);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct session_options *o = state->input;
    switch (key) {
    case 'o':
        o->dir = arg;
        return 0;
    case KEY_FORCE:
        o->force = true;
        return 0;
    case KEY_TIMEOUT:
        o->timeout_s = command_number(state, "--timeout", arg, 0.001, 1e9);
        return 0;
    case KEY_NO_FOLLOW:
        o->no_follow = true;
        return 0;
    case KEY_LOG_SIZE:
        add_library_option(o, xasprintf("max_log_bytes=%" PRIu64, parse_size(state, arg)));
        return 0;
    case KEY_DELAY:
        add_time(o, state, "--delay", "delay_ms", arg);
        return 0;
    case KEY_WINDOW:
        add_time(o, state, "--window", "window_ms", arg);
        return 0;
    case KEY_SAMPLE:
        add_sample(o, state, arg);
        return 0;
    case KEY_DEPTH:
        add_library_option(
            o, xasprintf("depth=%.0f", command_number(state, "--stack-depth", arg, 1, 64)));
        return 0;
    case KEY_HEAP:
        add_library_option(o, xasprintf("heap=%d", parse_heap(state, arg)));
        return 0;
    case KEY_ALLOCATOR:
        o->jemalloc = parse_allocator(state, arg);
        return 0;
    case KEY_OPTION:
        check_library_option(state, arg);
        add_library_option(o, xstrdup(arg));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp session_argp = {.options = options, .parser = parse};

void session_take_program(struct session_options *o, struct argp_state *state)
{
    o->argv = &state->argv[state->next - 1];
    state->next = state->argc;
}
