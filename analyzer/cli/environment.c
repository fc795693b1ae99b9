/* environment.c - see environment.h. */
#include "analyzer/cli/environment.h"

#include "analyzer/model/memory.h"

void environment_copy(struct environment *env, char *const *from)
{
    *env = (struct environment){0};
    while (from[env->n])
        env->n++;
    env->list = xcalloc(env->n + 1, sizeof(*env->list));
    memcpy(env->list, from, env->n * sizeof(*env->list));
}

void environment_clear(struct environment *env)
{
    for (size_t i = 0; i < env->nmade; i++)
        free(env->made[i]);
    free(env->made);
    free(env->list);
    *env = (struct environment){0};
}

/* Where the variable is that begins with so many characters of `word`: its name and the sign; n
 * when there is none. */
static size_t find(const struct environment *env, const char *word, size_t length)
{
    size_t i = 0;
    while (i < env->n && (strncmp(env->list[i], word, length) != 0 || env->list[i][length] != '='))
        i++;
    return i;
}

const char *environment_get(const struct environment *env, const char *name)
{
    size_t length = strlen(name), i = find(env, name, length);
    return i < env->n ? env->list[i] + length + 1 : NULL;
}

void environment_lend(struct environment *env, char *word)
{
    size_t i = find(env, word, strcspn(word, "="));
    if (i == env->n) {
        env->list = xreallocarray(env->list, env->n + 2, sizeof(*env->list));
        env->list[++env->n] = NULL;
    }
    env->list[i] = word;
}

void environment_set(struct environment *env, char *word)
{
    XGROW(env->made, env->nmade);
    env->made[env->nmade++] = word;
    environment_lend(env, word);
}

void environment_append(struct environment *env, const char *name, const char *value,
                        char separator)
{
    const char *old = environment_get(env, name);
    environment_set(env, old && *old ? xasprintf("%s=%s%c%s", name, old, separator, value)
                                     : xasprintf("%s=%s", name, value));
}
