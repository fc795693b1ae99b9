/* command_words_test.c - splitting the argument of `loiter compare --run`. */
#include "analyzer/cli/command_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"

/* The words with | between. */
static void check(const char *text, const char *expected)
{
    char **words, *error = command_words(text, &words), *joined = xstrdup("");
    if (error)
        fail_msg("%s: %s", text, error);
    for (size_t i = 0; words[i]; i++) {
        char *longer = xasprintf("%s%s%s", joined, i ? "|" : "", words[i]);
        free(joined);
        joined = longer;
    }
    assert_string_equal(joined, expected);
    free(joined);
    command_words_free(words);
}

static void split(void **state)
{
    (void)state;
    check("./app", "./app");
    check("  ./app  -x\t3 ", "./app|-x|3");
    check("app 'a b' \"c  d\"e", "app|a b|c  de");
    check("app '' \"\"", "app||");
    check("app a\\ b \"\\\"\" '\\'", "app|a b|\"|\\");
    check("app \"a\\b\" --set=x", "app|a\\b|--set=x");
}

static void left_to_a_shell(void **state)
{
    (void)state;
    check("a | b", "/bin/sh|-c|a | b");
    check("app >file", "/bin/sh|-c|app >file");
    check("app $HOME", "/bin/sh|-c|app $HOME");
    check("app \"$HOME\"", "/bin/sh|-c|app \"$HOME\"");
    check("X=1 app", "/bin/sh|-c|X=1 app");
    check("app *.c", "/bin/sh|-c|app *.c");
    check("app '$HOME' '*'", "app|$HOME|*");
    check("app \\$HOME", "app|$HOME");
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "  ", "app 'x", "app \"x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char **words, *error = command_words(bad[i], &words);
        assert_non_null(error);
        assert_non_null(strstr(error, i < 2 ? "expected a command" : "quote is not closed"));
        free(error);
        command_words_free(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(split), cmocka_unit_test(left_to_a_shell),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
