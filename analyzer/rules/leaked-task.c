/* leaked-task.c - tasks that wait for what nobody will do. What a leak is: waiters.h, leaks.h. */
#include "analyzer/rules/leaks.h"

static struct rule_threshold thresholds[] = {LEAK_THRESHOLDS("tasks"), {0}};

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    leaks_judge(rule, p, true, out);
}

const struct rule rule_leaked_task = {
    .id = "leaked-task",
    .title_one = "leaked task",
    .title_many = "leaked tasks",
    .summary = "Tasks of a coroutine runtime that wait for what nobody will do.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
