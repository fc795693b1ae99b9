/*
 * main.c - chooses the subcommand.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/message.h"
#include "analyzer/gate/choose.h"
#include "analyzer/model/memory.h"

static const struct {
    const char *name, *text;
    int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, text) {#name, text, command_##name},
#include "analyzer/cli/commands.def"
#undef COMMAND
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
    fputs("Usage: loiter COMMAND [OPTION...] ...\n\n"
          "Finds what lingers in a running program: threads and tasks that never end, timers\n"
          "that nobody stops, locks held while the program waits, spawning without a bound.\n\n",
          out);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].text);
    fputs("\n  loiter run -- ./program arg...     is all that most uses need\n"
          "  loiter help COMMAND                lists the options of a command\n"
          "  loiter --version                   prints the version\n",
          out);
}

static int unknown(const char *word)
{
    const char *names[NCOMMANDS + 1] = {NULL};
    for (size_t i = 0; i < NCOMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = choose_nearest(word, names);
    if (near)
        fprintf(stderr, "loiter: unknown command \"%s\"; did you mean \"%s\"?\n", word, near);
    else
        fprintf(stderr, "loiter: unknown command \"%s\"; see `loiter --help`\n", word);
    return EXIT_CODE_USAGE;
}

/* `words` are the subcommand's name and what follows it. */
static int run(int nwords, char **words)
{
    const char *word = words[0];
    for (size_t i = 0; i < NCOMMANDS; i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        char *name = xasprintf("loiter %s", word);
        words[0] = name;
        int status = commands[i].run(nwords, words);
        free(name);
        return status;
    }
    return unknown(word);
}

/* loiter help [COMMAND | --list] */
static int help(const char *word)
{
    if (!word) {
        usage(stdout);
        return EXIT_CODE_OK;
    }
    if (strcmp(word, "--list") == 0) {
        for (size_t i = 0; i < NCOMMANDS; i++)
            puts(commands[i].name);
        return EXIT_CODE_OK;
    }
    char *words[] = {(char *)word, (char *)"--help", NULL};
    return run(2, words);
}

static bool is_any(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* What was printed may not have arrived: on a full disk, say. A failure was told before. */
static int finish(int status)
{
    if (status != EXIT_CODE_OK || (fflush(stdout) == 0 && !ferror(stdout)))
        return status;
    message("output: cannot write: %s", strerror(errno));
    return EXIT_CODE_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_CODE_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "help") == 0)
        return finish(help(argv[2]));
    if (is_any(word, "--help", "-h") || strcmp(word, "-?") == 0)
        return finish(help(NULL));
    if (is_any(word, "--version", "-V")) {
        command_version();
        return finish(EXIT_CODE_OK);
    }
    return finish(run(argc - 1, argv + 1));
}
