/*
 * command_words.h - a command in one text, as words to execute.
 */
#ifndef COMMAND_WORDS_H
#define COMMAND_WORDS_H

/* Splits it at blanks, with '...', "..." and \ as a shell has them. One with anything else that a
 * shell would act on becomes: /bin/sh -c TEXT. NULL, or what is wrong with it, to be freed; *words
 * ends with NULL and is freed by command_words_free. */
char *command_words(const char *text, char ***words);
void command_words_free(char **words);

#endif
