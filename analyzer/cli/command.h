/*
 * command.h - the subcommands, and what they have in common.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>
#include <stdbool.h>

/* Each takes its own argc and argv, with argv[0] as "loiter run", and returns the exit status. */
#define COMMAND(name, text) int command_##name(int argc, char **argv);
#include "analyzer/cli/commands.def"
#undef COMMAND

/* argp_parse, with a better message for an option that does not exist. `in_order`: options after
 * the first word belong to the program that is run. Ends the command with 2 on a mistake, as argp
 * does. */
void command_parse(const struct argp *argp, int argc, char **argv, bool in_order, void *input);

/* Prints it, for --version. */
void command_version(void);

/* The number in an option's argument: ends the command with 2 when it is none or out of range. */
double command_number(struct argp_state *state, const char *what, const char *text, double least,
                      double most);
/* The folder in an option's argument: ends the command with 2 when there is none that can be read.
 */
char *command_folder(struct argp_state *state, const char *what, char *path);
/* Ends the command with 2 and the message, which may be NULL: then nothing is wrong. */
void command_stop_if(struct argp_state *state, char *error);
/* The index of the word, or an error that lists the words. */
int command_word(struct argp_state *state, const char *option, const char *word,
                 const char *const *words);

#endif
