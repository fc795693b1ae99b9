/*
 * explain.c - loiter explain: what a rule means, from the rule itself and its page of docs/rules,
 * which is compiled in.
 */
#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/pages.h"
#include "analyzer/gate/choose.h"
#include "analyzer/gate/gate.h"
#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **id = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*id)
            argp_error(state, "expected one rule, found also \"%s\"", arg);
        *id = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {.parser = parse,
                                 .args_doc = "[RULE]",
                                 .doc = "Explains a rule: when it fires, what it measures, its "
                                        "thresholds. Without a rule, lists them."};

static void list_rules(void)
{
    for (size_t i = 0; rules_all[i]; i++)
        printf("%-22s %-8s %s\n", rules_all[i]->id, severity_name(rules_all[i]->severity),
               rules_all[i]->summary);
}

static void print_thresholds(const struct rule *rule)
{
    const struct rule_threshold *t = rule->thresholds;
    if (!t || !t->name)
        return;
    puts("\nThresholds (--set RULE.NAME=VALUE):");
    for (; t->name; t++)
        printf("  %s.%s=%.10g %s\n      %s\n", rule->id, t->name, t->preset, t->unit ? t->unit : "",
               t->text ? t->text : "");
}

int command_explain(int argc, char **argv)
{
    const char *id = NULL;
    command_parse(&argp, argc, argv, false, &id);
    if (!id) {
        list_rules();
        return EXIT_CODE_OK;
    }
    const struct rule *rule = rule_find(id);
    if (!rule) {
        message_take(choose_unknown_rule(id));
        return EXIT_CODE_USAGE;
    }
    const char *page = page_find(id);
    if (page)
        fputs(page, stdout);
    else
        printf("%s (%s): %s\n", rule->id, severity_name(rule->severity), rule->summary);
    print_thresholds(rule);
    return EXIT_CODE_OK;
}
