/* build_window.c - for how long waits were recorded: from the library's options and from what
 * `loiter ctl` said. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/build.h"

void build_option(struct model_builder *b, const struct el_option *e)
{
    struct build_window *w = &b->window;
    const struct {
        const char *name;
        uint64_t *to;
    } options[] = {{"delay_ms=", &w->delay_ns},
                   {"window_ms=", &w->window_ns},
                   {"sample_on_ms=", &w->on_ns},
                   {"sample_every_ms=", &w->every_ns}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t n = strlen(options[i].name);
        if (e->text != NULL && strncmp(e->text, options[i].name, n) == 0)
            *options[i].to = strtoull(e->text + n, NULL, 10) % 1000000000000u * 1000000;
    }
}

/* How much of [0, ns) the sampling takes. */
static uint64_t sampled(const struct build_window *w, uint64_t ns)
{
    if (w->on_ns == 0 || w->on_ns >= w->every_ns)
        return ns;
    uint64_t rest = ns % w->every_ns;
    return ns / w->every_ns * w->on_ns + (rest < w->on_ns ? rest : w->on_ns);
}

/* How much of [from, until) the options take. */
static uint64_t by_options(const struct build_window *w, uint64_t from, uint64_t until)
{
    if (w->window_ns != 0 && until > w->delay_ns + w->window_ns)
        until = w->delay_ns + w->window_ns;
    if (from < w->delay_ns)
        from = w->delay_ns;
    if (from >= until)
        return 0;
    return sampled(w, until - w->delay_ns) - sampled(w, from - w->delay_ns);
}

static void count_until(struct model_builder *b, uint64_t until)
{
    struct build_window *w = &b->window;
    if (until <= w->since_ns)
        return;
    if (w->word == EL_CONTROL_START)
        b->p->recorded_ns += until - w->since_ns;
    else if (w->word != EL_CONTROL_STOP)
        b->p->recorded_ns += by_options(w, w->since_ns, until);
    w->since_ns = until;
}

void build_recording(struct model_builder *b, uint64_t at_ns, const struct el_recording *e)
{
    count_until(b, at_ns);
    b->window.word = e->word;
}

void build_window_close(struct model_builder *b)
{
    count_until(b, b->p->end_ns);
}
