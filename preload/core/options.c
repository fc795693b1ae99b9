/* options.c - see options.h and options.def. */
#include "preload/core/options.h"

#include <string.h>

extern char **environ;

struct pl_options pl_options;

/* getenv may be the program's own. */
static const char *env_get(const char *name)
{
    size_t n = strlen(name);
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    }
    return NULL;
}

static uint64_t number_read(const char **at)
{
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (value < UINT64_MAX / 16)
            value = value * 10 + (uint64_t)(**at - '0');
    }
    unsigned shift = **at == 'K' ? 10 : **at == 'M' ? 20 : **at == 'G' ? 30 : 0;
    if (shift != 0)
        (*at)++;
    return value << shift >> shift == value ? value << shift : UINT64_MAX;
}

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void option_set(const char *name, size_t length, uint64_t value)
{
#define EL_OPTION(n, preset, least, most, text)                                                    \
    if (length == sizeof(#n) - 1 && memcmp(name, #n, length) == 0)                                 \
        pl_options.n = within(value, (least), (most));
#include "eventlog/options.def"
#undef EL_OPTION
}

void pl_options_parse(const char *text)
{
    while (*text != 0) {
        const char *name = text;
        while (*text != 0 && *text != '=' && *text != ',')
            text++;
        size_t length = (size_t)(text - name);
        if (*text == '=') {
            text++;
            option_set(name, length, number_read(&text));
        }
        while (*text != 0 && *text != ',')
            text++;
        if (*text == ',')
            text++;
    }
}

static uint64_t env_number(const char *name, uint64_t preset)
{
    const char *text = env_get(name);
    return text == NULL || *text < '0' || *text > '9' ? preset : number_read(&text);
}

/* "HZ,TICKS,NS" */
static void tsc_read(const char *text)
{
    uint64_t *const to[] = {&pl_options.tsc_hz, &pl_options.tsc_ticks, &pl_options.tsc_ns};
    for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        *to[i] = text == NULL ? 0 : number_read(&text);
        text = text != NULL && *text == ',' ? text + 1 : NULL;
    }
}

void pl_options_read(void)
{
#define EL_OPTION(n, preset, least, most, text) pl_options.n = (preset);
#include "eventlog/options.def"
#undef EL_OPTION
    const char *dir = env_get("LOITER_DIR");
    const char *list = env_get("LOITER_OPTIONS");
    pl_options.dir[0] = 0;
    if (dir != NULL && strlen(dir) < sizeof(pl_options.dir))
        memcpy(pl_options.dir, dir, strlen(dir) + 1);
    if (list != NULL)
        pl_options_parse(list);
    pl_options.follow = env_number("LOITER_FOLLOW", 1) != 0;
    pl_options.root_pid = (int)env_number("LOITER_ROOT_PID", 0);
    tsc_read(env_get("LOITER_TSC"));
}

void pl_options_each(void (*on)(const char *name, uint64_t value, void *ctx), void *ctx)
{
#define EL_OPTION(n, preset, least, most, text) on(#n, pl_options.n, ctx);
#include "eventlog/options.def"
#undef EL_OPTION
    on("follow", (uint64_t)pl_options.follow, ctx);
}
