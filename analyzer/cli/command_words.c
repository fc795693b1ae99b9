/*
 * command_words.c - see command_words.h. A program that is executed directly is recorded and
 * measured alone; a shell around it would be part of both.
 */
#include "analyzer/cli/command_words.h"

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/model/memory.h"

#define BLANKS " \t\n"

struct words {
    char **items;
    size_t n;
};

static void add(struct words *w, char *word)
{
    XGROW(w->items, w->n);
    w->items[w->n++] = word;
}

/* Copies one word to `to`; NULL when a quote is not closed. */
static const char *copy_word(const char *text, char *to)
{
    char quote = '\0';
    for (; *text && (quote || !strchr(BLANKS, *text)); text++) {
        bool special = quote == '"' ? strchr("\"\\$`", text[1]) != NULL : true;
        if (quote ? *text == quote : *text == '\'' || *text == '"')
            quote = quote ? '\0' : *text;
        else if (*text == '\\' && quote != '\'' && text[1] && special)
            *to++ = *++text;
        else
            *to++ = *text;
    }
    *to = '\0';
    return quote ? NULL : text;
}

/* Whether a shell would do more than split it. */
static bool needs_shell(const char *text)
{
    char quote = '\0';
    for (const char *at = text; *at; at++) {
        if (quote != '\'' && *at == '\\' && at[1])
            at++;
        else if (quote ? *at == quote : *at == '\'' || *at == '"')
            quote = quote ? '\0' : *at;
        else if (quote != '\'' && strchr("$`", *at))
            return true;
        else if (!quote && strchr("|&;<>()*?[#~!{}", *at))
            return true;
    }
    /* A=b before the command. */
    return strcspn(text, "=") < strcspn(text, BLANKS "/'\"");
}

char *command_words(const char *text, char ***words)
{
    struct words w = {0};
    char *error = NULL, *word = xcalloc(strlen(text) + 1, 1);
    if (needs_shell(text)) {
        add(&w, xstrdup("/bin/sh"));
        add(&w, xstrdup("-c"));
        add(&w, xstrdup(text));
        text = "";
    }
    for (text += strspn(text, BLANKS); *text && !error; text += strspn(text, BLANKS)) {
        const char *rest = copy_word(text, word);
        if (!rest) {
            error = xstrdup("a quote is not closed");
            break;
        }
        add(&w, xstrdup(word));
        text = rest;
    }
    if (!error && !w.n)
        error = xstrdup("expected a command");
    add(&w, NULL);
    *words = w.items;
    free(word);
    return error;
}

void command_words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}
