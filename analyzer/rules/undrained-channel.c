/*
 * undrained-channel.c - items that lay in a channel when it was released, or when the program
 * ended, and that nobody received: work that was accepted and never done.
 */
#include <inttypes.h>

#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"items", 1, 1, "items", "lost in channels of one place, from which on it is told"},
    {0},
};

/* Nobody misses them: a mailbox for one answer, tokens, the stock of a pool. */
static bool is_meant_to_keep(uint32_t how)
{
    return (how & (EL_LEFT_ROOM_FOR_ONE | EL_LEFT_TOKENS)) != 0;
}

/*
 * A queue between two sides: somebody waited for its items, or one receiver made room again and
 * again for senders that waited. A channel can also be a semaphore, whose holders are not seen as
 * the same side: one that is taken by a send has nobody who waits for items, and gets its room from
 * ever others; one that is taken by a receive is full at the end and was never too full.
 */
static enum severity weigh(uint32_t how)
{
    bool received = (how & EL_LEFT_RECEIVED) != 0, stream = (how & EL_LEFT_STREAM) != 0;
    bool sender_waited = (how & EL_LEFT_SENDER_WAITED) != 0;
    if ((how & EL_LEFT_SAME_SIDE) != 0)
        return SEVERITY_NOTE;
    if ((how & EL_LEFT_CLOSED) != 0)
        return received || sender_waited ? SEVERITY_ERROR : SEVERITY_WARNING;
    if (sender_waited)
        return received || stream ? SEVERITY_ERROR : SEVERITY_NOTE;
    if ((how & (EL_LEFT_FULL | EL_LEFT_BY_RECEIVER)) != 0)
        return SEVERITY_NOTE; /* by the receiver: it wanted no more */
    return received && stream ? SEVERITY_ERROR : SEVERITY_NOTE;
}

static void add_evidence(struct finding *f, const struct model_outcome *o)
{
    if ((o->how & EL_LEFT_AT_END) != 0)
        finding_add_evidence(f, "when", "they lay inside when the program or its main task ended");
    else
        finding_add_evidence(f, "when", "they lay inside when the channel was released");
    if ((o->how & EL_LEFT_CLOSED) != 0)
        finding_add_evidence(f, "closed", "it had been closed: these were the last of its items");
    else
        finding_add_evidence(f, "closed",
                             "it had not been closed: nobody said that no more would "
                             "come");
    if ((o->how & EL_LEFT_SENDER_WAITED) != 0)
        finding_add_evidence(f, "sender", "senders had waited for room in it");
    if ((o->how & EL_LEFT_RECEIVED) != 0)
        finding_add_evidence(f, "receiver", "receivers had waited for its items, and left");
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_outcome *o)
{
    struct finding *f = finding_create(rule, p);
    f->severity = weigh(o->how);
    f->confidence = (o->how & (EL_LEFT_CLOSED | EL_LEFT_SENDER_WAITED)) != 0 ? CONFIDENCE_PROVEN
                                                                             : CONFIDENCE_PROBABLE;
    f->count = o->lost;
    finding_set_times(f, o->first_ns, o->last_ns);
    finding_set_kind(f, "channel");
    if (o->lost == 1)
        finding_set_title(f, "%" PRIu64 " item%s of a channel %s never received", o->items,
                          o->items == 1 ? "" : "s", o->items == 1 ? "was" : "were");
    else
        finding_set_title(f, "%" PRIu64 " items of %" PRIu64 " channels were never received",
                          o->items, o->lost);
    finding_set_fix(f, "Close the channel when the last item is sent, and let the receivers go on "
                       "until it is empty: wait for them before it is released or the program "
                       "ends.");
    finding_add_stack(f, "created at", o->stack, true, NULL);
    finding_add_stack(f, "last waited at", o->lost_stack, false, NULL);
    add_evidence(f, o);
    finding_add_cost(f, "items lost", (double)o->items, "items");
    finding_add_cost(f, "content of the items", (double)o->bytes, "bytes");
    return f;
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    for (size_t i = 0; i < p->noutcomes; i++) {
        const struct model_outcome *o = &p->outcomes[i];
        if (o->kind == EL_OBJ_CHAN && o->lost != 0 && !is_meant_to_keep(o->how) &&
            (double)o->items >= rule_threshold(rule, "items"))
            findings_add(out, finding_of(rule, p, o));
    }
}

const struct rule rule_undrained_channel = {
    .id = "undrained-channel",
    .title_one = "undrained channel",
    .title_many = "undrained channels",
    .summary = "Items that lay in a channel at its end and that nobody received.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
