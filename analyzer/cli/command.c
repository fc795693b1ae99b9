/*
 * command.c - see command.h.
 */
#include "analyzer/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "analyzer/cli/exit_codes.h"
#include "analyzer/gate/choose.h"
#include "analyzer/model/memory.h"

#define OPTIONS_MAX 128

struct options {
    const struct argp_option *items[OPTIONS_MAX];
    const char *names[OPTIONS_MAX + 1];
    size_t n;
};

static void collect(struct options *all, const struct argp *argp)
{
    for (const struct argp_option *o = argp->options; o && (o->name || o->key || o->doc); o++) {
        if (o->name && all->n < OPTIONS_MAX) {
            all->items[all->n] = o;
            all->names[all->n++] = o->name;
        }
    }
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        collect(all, c->argp);
}

/* The option that `word` names in full or in part. */
static const struct argp_option *find(const struct options *all, const char *word)
{
    for (size_t i = 0; i < all->n; i++)
        if (strncmp(all->names[i], word, strlen(word)) == 0)
            return all->items[i];
    return NULL;
}

static const struct argp_option *find_short(const struct options *all, char letter)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i]->key == letter)
            return all->items[i];
    return NULL;
}

static _Noreturn void unknown(const struct options *all, const char *command, const char *word)
{
    const char *near = choose_nearest(word, all->names);
    if (near)
        fprintf(stderr, "%s: unknown option \"--%s\"; did you mean \"--%s\"?\n", command, word,
                near);
    else
        fprintf(stderr, "%s: unknown option \"--%s\"; see `%s --help`\n", command, word, command);
    exit(EXIT_CODE_USAGE);
}

/* Whether the word takes the next one as its argument. */
static bool takes_next(const struct options *all, const char *word)
{
    const struct argp_option *o;
    if (word[1] == '-')
        o = strchr(word, '=') ? NULL : find(all, word + 2);
    else
        o = word[2] ? NULL : find_short(all, word[1]);
    return o && o->arg && !(o->flags & OPTION_ARG_OPTIONAL);
}

void command_version(void)
{
    puts("loiter " LOITER_VERSION);
}

/* What each command takes and argp does not: it has -? for help, and --version only with -V. */
static void serve_usual(char **word)
{
    if (strcmp(*word, "-h") == 0)
        *word = (char *)"--help";
    if (strcmp(*word, "--version") == 0) {
        command_version();
        exit(EXIT_CODE_OK);
    }
}

static void check_names(const struct argp *argp, int argc, char **argv, bool in_order)
{
    struct options all = {.n = 0};
    static const struct argp_option own[] = {
        {.name = "help"}, {.name = "usage"}, {.name = "version"}};
    collect(&all, argp);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && all.n < OPTIONS_MAX; i++) {
        all.items[all.n] = &own[i];
        all.names[all.n++] = own[i].name;
    }
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            if (in_order)
                return;
            continue;
        }
        serve_usual(&argv[i]);
        if (argv[i][1] == '-') {
            char *word = xstrndup(argv[i] + 2, strcspn(argv[i] + 2, "="));
            if (!find(&all, word))
                unknown(&all, argv[0], word);
            free(word);
        }
        i += takes_next(&all, argv[i]);
    }
}

void command_parse(const struct argp *argp, int argc, char **argv, bool in_order, void *input)
{
    argp_err_exit_status = EXIT_CODE_USAGE;
    check_names(argp, argc, argv, in_order);
    error_t error = argp_parse(argp, argc, argv, in_order ? ARGP_IN_ORDER : 0, NULL, input);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
        exit(EXIT_CODE_USAGE);
    }
}

void command_stop_if(struct argp_state *state, char *error)
{
    if (!error)
        return;
    fprintf(stderr, "%s: %s\n", state->name, error);
    free(error);
    exit(EXIT_CODE_USAGE);
}

int command_word(struct argp_state *state, const char *option, const char *word,
                 const char *const *words)
{
    int n = 0;
    for (; words[n]; n++)
        if (strcmp(words[n], word) == 0)
            return n;
    const char *near = choose_nearest(word, words);
    char *list = xstrdup(words[0]);
    for (int i = 1; i < n; i++) {
        char *longer = xasprintf("%s%s%s", list, i == n - 1 ? " and " : ", ", words[i]);
        free(list);
        list = longer;
    }
    if (near)
        argp_error(state, "--%s: unknown \"%s\"; did you mean \"%s\"? There are %s", option, word,
                   near, list);
    else
        argp_error(state, "--%s: unknown \"%s\"; there are %s", option, word, list);
    free(list);
    return 0;
}

double command_number(struct argp_state *state, const char *what, const char *text, double least,
                      double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < least || value > most)
        argp_error(state, "%s: expected a number from %.10g to %.10g: \"%s\"", what, least, most,
                   text);
    return value;
}

char *command_folder(struct argp_state *state, const char *what, char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        argp_error(state, "%s: %s: %s", what, path, strerror(errno));
    else
        close(fd);
    return path;
}
