/*
 * text.c - the report for people. See report.h.
 *
 * Everything that came out of the program is cleaned before it is printed: a function's name or a
 * command line cannot send escape sequences to the terminal.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/excerpt.h"
#include "analyzer/report/report.h"
#include "analyzer/report/words.h"
#include "analyzer/rules/rule.h"

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN   "\033[1;36m"
#define GREEN  "\033[1;32m"
#define BOLD   "\033[1m"
#define DIM    "\033[2m"
#define RESET  "\033[0m"

/* Where sentences are broken, and where they are on the narrowest terminal. */
#define COLUMNS_MOST  100
#define COLUMNS_LEAST 40

#define GROWTH_NS_LEAST 10000000

/* Looks that found Loiter at work, before they are worth a figure. */
#define OWN_LEAST 5

struct page {
    FILE *out;
    const struct report *r;
    const struct text_options *o;
};

static const char *style(const struct page *p, const char *code)
{
    return p->o->color ? code : "";
}

static bool is_shown(const struct page *p, const struct gate_item *item)
{
    return gate_is_active(item) && (item->finding->severity > SEVERITY_NOTE || p->o->notes);
}

/* printf with the result cleaned. The format's own line ends are written outside. */
__attribute__((format(printf, 3, 4))) static void say(const struct page *p, const char *code,
                                                      const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        memory_out();
    char *clean = report_clean(text);
    fprintf(p->out, "%s%s%s", style(p, code), clean, *code ? style(p, RESET) : "");
    free(clean);
    free(text);
}

static void end_line(const struct page *p)
{
    fputc('\n', p->out);
}

/* Bytes of the line that begins at `text`: as many words as fit, one at least. */
static size_t line_length(const char *text, size_t room)
{
    size_t n = strcspn(text, " ");
    while (text[n]) {
        size_t next = n + 1 + strcspn(text + n + 1, " ");
        if (next > room)
            break;
        n = next;
    }
    return n;
}

static int columns_of(const struct text_options *o)
{
    return o->columns == 0 || o->columns > COLUMNS_MOST ? COLUMNS_MOST
           : o->columns < COLUMNS_LEAST                 ? COLUMNS_LEAST
                                                        : (int)o->columns;
}

/* "  label: text", with further lines set in below the text. */
static void say_wrapped(const struct page *p, const char *code, const char *label, const char *text)
{
    const int indent = (int)strlen(label) + 4, columns = columns_of(p->o);
    size_t room = (size_t)(indent < columns / 2 ? columns - indent : columns / 2);
    char *clean = report_clean(text);
    say(p, code, "  %s: ", label);
    for (const char *at = clean; *at;) {
        size_t n = line_length(at, room);
        fprintf(p->out, "%.*s", (int)n, at);
        at += n;
        if (*at++ == '\0')
            break;
        fprintf(p->out, "\n%*s", indent, "");
    }
    end_line(p);
    free(clean);
}

/* ---- one finding ---- */

static const char *severity_style(enum severity s)
{
    return s == SEVERITY_ERROR ? RED : s == SEVERITY_WARNING ? YELLOW : CYAN;
}

static void print_head(const struct page *p, const struct gate_item *item)
{
    const struct finding *f = item->finding;
    say(p, severity_style(f->severity), "%s: %s", severity_name(f->severity), f->rule->id);
    say(p, BOLD, ": %s", f->title ? f->title : f->rule->summary);
    if (item->nprocesses > 1)
        say(p, BOLD, " (%" PRIu64 " in %zu processes)", f->count, item->nprocesses);
    if (f->confidence == CONFIDENCE_PROBABLE)
        say(p, DIM, " [probable]");
    end_line(p);
    if (f->place) {
        char *place = report_place(f->place, p->o->base_dir);
        say(p, "", "  at ");
        say(p, BOLD, "%s", place);
        end_line(p);
        free(place);
    }
}

struct excerpt_page {
    const struct page *p;
    unsigned line;
};

static void print_excerpt_line(void *arg, unsigned line, const char *text)
{
    const struct excerpt_page *e = arg;
    bool here = line == e->line;
    say(e->p, here ? BOLD : DIM, "  %c %5u | %s", here ? '>' : ' ', line, text);
    end_line(e->p);
}

static void print_excerpt(const struct page *p, const struct finding_frame *f)
{
    if (!f || !f->file || !p->o->excerpt)
        return;
    struct excerpt_page e = {p, f->line};
    excerpt_read(f->file, f->line, p->o->excerpt, print_excerpt_line, &e);
}

/* What came all at once is a number and no rate. */
static bool grows(const struct finding *f)
{
    return f->growth_per_s > 0 && f->last_ns - f->first_ns >= GROWTH_NS_LEAST;
}

/* Takes `text`. */
static char *append(char *text, const char *more)
{
    char *both = text ? xasprintf("%s, %s", text, more) : xstrdup(more);
    free(text);
    return both;
}

static void print_costs(const struct page *p, const struct finding *f)
{
    char amount[REPORT_WORDS_MAX], rate[REPORT_WORDS_MAX + 16], *text = NULL;
    for (size_t i = 0; i < f->ncosts; i++) {
        char *cost = report_cost(&f->costs[i]);
        text = append(text, cost);
        free(cost);
    }
    if (grows(f)) {
        snprintf(rate, sizeof(rate), "grows by %s", report_amount(amount, f->growth_per_s, "1/s"));
        text = append(text, rate);
    }
    if (text)
        say_wrapped(p, BOLD, "cost", text);
    free(text);
}

/* Frames to show: what lies below the program's last frame starts threads and is the same
 * everywhere. */
static size_t frames_shown(const struct page *p, const struct finding_stack *s)
{
    size_t n = s->nframes;
    while (n && !s->frames[n - 1].in_app)
        n--;
    if (n == 0)
        n = s->nframes;
    return n < p->o->frames_max ? n : p->o->frames_max;
}

static void print_stack(const struct page *p, const struct finding_stack *s)
{
    if (s->nframes == 0 && !s->primary && !s->note)
        return;
    say(p, "", "  %s", s->role);
    if (s->note)
        say(p, "", " - %s", s->note);
    fputs(":\n", p->out);
    size_t n = frames_shown(p, s);
    for (size_t i = 0; i < n; i++) {
        const struct finding_frame *f = &s->frames[i];
        char *place = report_place(f, p->o->base_dir);
        say(p, f->in_app ? "" : DIM, "    #%-2zu %s%s", i, place, f->inlined ? " [inlined]" : "");
        end_line(p);
        free(place);
    }
    if (n == 0 && !s->note)
        fputs("    (no frames)\n", p->out);
    if (n < s->nframes && n == p->o->frames_max) {
        say(p, DIM, "    ... %zu more", s->nframes - n);
        end_line(p);
    }
}

static void print_finding(const struct page *p, const struct gate_item *item)
{
    const struct finding *f = item->finding;
    print_head(p, item);
    print_excerpt(p, f->place);
    print_costs(p, f);
    for (size_t i = 0; i < f->nstacks; i++)
        print_stack(p, &f->stacks[i]);
    for (size_t i = 0; i < f->nevidence; i++)
        say_wrapped(p, "", f->evidence[i].name, f->evidence[i].text);
    if (f->mark) {
        say(p, "", "  during: %s", f->mark);
        end_line(p);
    }
    if (p->r->model->nprocesses > 1) {
        char *processes = report_processes(item);
        say_wrapped(p, "", "process", processes);
        free(processes);
    }
    if (f->fix)
        say_wrapped(p, GREEN, "fix", f->fix);
    char *line = suppression_for(f);
    say(p, DIM, "  suppress: %s # fingerprint %s", line, f->fingerprint);
    fputs("\n\n", p->out);
    free(line);
}

/* ---- the end of the report ---- */

static void print_counts(const struct page *p)
{
    const struct gate *g = p->r->gate;
    char errors[REPORT_WORDS_MAX], warnings[REPORT_WORDS_MAX], notes[REPORT_WORDS_MAX];
    const char *code = g->failing ? RED : p->r->record->incomplete ? YELLOW : GREEN;
    say(p, code, "loiter: %s, %s, %s", report_count(errors, g->active[SEVERITY_ERROR], "error"),
        report_count(warnings, g->active[SEVERITY_WARNING], "warning"),
        report_count(notes, g->active[SEVERITY_NOTE], "note"));
    if (g->active[SEVERITY_NOTE] && !p->o->notes)
        say(p, "", " (shown with --notes)");
    if (g->suppressed)
        say(p, "", "; %zu suppressed", g->suppressed);
    if (g->known)
        say(p, "", "; %zu in the baseline", g->known);
    end_line(p);
}

/* What Loiter itself took of the processor, as far as looks from outside can tell. Few looks that
 * found it there stand for a time that may be far off, and even for more than there was. */
static void print_own(const struct page *p)
{
    const struct run_own *own = &p->r->run->own;
    const struct run_usage *usage = &p->r->run->usage;
    double all = usage->known ? (double)(usage->user_ns + usage->system_ns) : 0;
    char ns[REPORT_WORDS_MAX], of[REPORT_WORDS_MAX], looks[REPORT_WORDS_MAX];
    if (own->looks == 0 || own->inside < OWN_LEAST)
        return;
    double inside = (double)own->inside_ns;
    if (all > 0 && inside > all)
        inside = all;
    say(p, "", "loiter: recording took about %s", report_amount(ns, inside, "ns"));
    if (all > 0)
        say(p, "", " of the program's %s", report_amount(of, all, "ns"));
    say(p, "", " of processor time, as %s at its threads tell",
        report_count(looks, (uint64_t)own->looks, "look"));
    end_line(p);
}

static void print_record(const struct page *p)
{
    const struct record *c = p->r->record;
    char n[REPORT_WORDS_MAX], events[REPORT_WORDS_MAX], bytes[REPORT_WORDS_MAX],
        walks[REPORT_WORDS_MAX];
    say(p, c->incomplete ? YELLOW : "", "loiter: the record is %s",
        c->incomplete ? "INCOMPLETE" : "complete");
    uint64_t lost = c->lost + c->lost_cells;
    snprintf(n, sizeof(n), "%zu process%s", c->processes, c->processes == 1 ? "" : "es");
    say(p, "", ": %s", n);
    if (c->silent > 0)
        say(p, "", " (%zu more had nothing to record)", c->silent);
    say(p, "", ", %s, ", report_count(events, c->events, "event"));
    say(p, "", lost ? "%" PRIu64 " more lost" : "none lost", lost);
    say(p, "", "; %s, %s", report_bytes(bytes, (double)c->bytes),
        report_count(walks, c->unwinds, "stack walk"));
    end_line(p);
    print_own(p);
    if (c->outside) {
        char lived[REPORT_WORDS_MAX], of[REPORT_WORDS_MAX];
        say(p, "", "loiter: waits were recorded for %s of %s",
            report_amount(of, (double)c->recorded_ns, "ns"),
            report_amount(lived, (double)c->lived_ns, "ns"));
        end_line(p);
    }
    for (size_t i = 0; i < c->nreasons; i++) {
        say(p, YELLOW, "loiter:   %s", c->reasons[i]);
        end_line(p);
    }
    if (c->more) {
        say(p, YELLOW, "loiter:   and %zu more", c->more);
        end_line(p);
    }
}

/* What allocators say of themselves. */
static void print_allocators(const struct page *p)
{
    const struct model *m = p->r->model;
    for (size_t i = 0; i < m->nprocesses; i++) {
        const struct model_heap *h = &m->processes[i].heap;
        char n[5][REPORT_WORDS_MAX], arenas[REPORT_WORDS_MAX];
        if (!h->allocator)
            continue;
        say(p, "",
            "loiter: %s in process %u: %s allocated, %s active, %s resident (%s at most), %s "
            "retained, %s",
            h->allocator, m->processes[i].pid, report_bytes(n[0], (double)h->allocated),
            report_bytes(n[1], (double)h->active), report_bytes(n[2], (double)h->resident),
            report_bytes(n[4], (double)h->resident_most), report_bytes(n[3], (double)h->retained),
            report_count(arenas, h->arenas, "arena"));
        end_line(p);
    }
}

/* Where a reader who meets such a report for the first time finds the rest. */
static void print_help(const struct page *p)
{
    const struct gate *g = p->r->gate;
    bool probable = false, any = false;
    for (size_t i = 0; i < g->n; i++)
        if (is_shown(p, &g->items[i]) && g->items[i].finding->confidence == CONFIDENCE_PROBABLE)
            probable = true;
    for (const struct rule *const *rule = p->r->rules; *rule; rule++) {
        bool found = false;
        for (size_t i = 0; i < g->n && !found; i++)
            found = is_shown(p, &g->items[i]) && g->items[i].finding->rule == *rule;
        if (found)
            say(p, "", "%s%s", any ? ", " : "loiter: what it means: loiter explain ", (*rule)->id);
        any = any || found;
    }
    if (any) {
        end_line(p);
        fputs("loiter: to hide what is intended, put its `suppress` line into FILE and give "
              "--suppressions=FILE\n",
              p->out);
    }
    if (probable)
        fputs("loiter: [probable]: the record shows it, but cannot rule out that all is well\n",
              p->out);
}

static void print_end(const struct page *p)
{
    print_help(p);
    for (size_t i = 0; i < p->r->nwarnings; i++) {
        say(p, YELLOW, "loiter: warning: ");
        say(p, "", "%s", p->r->warnings[i]);
        end_line(p);
    }
    char *ending = run_info_ending(p->r->run);
    if (ending) {
        say(p, "", "loiter: %s %s", p->r->run->command, ending);
        end_line(p);
    }
    free(ending);
    print_counts(p);
    print_record(p);
    print_allocators(p);
    if (p->r->log) {
        say(p, "", "loiter: the log is in %s", p->r->log);
        end_line(p);
    }
}

void report_text(FILE *out, const struct report *r, const struct text_options *o)
{
    struct page p = {out, r, o};
    for (size_t i = 0; i < r->gate->n; i++) {
        if (is_shown(&p, &r->gate->items[i]))
            print_finding(&p, &r->gate->items[i]);
    }
    bool worth_it = r->gate->failing || r->record->incomplete;
    if (!o->quiet || worth_it)
        print_end(&p);
}
