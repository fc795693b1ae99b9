/*
 * slots.c - the streams of events, one for each thread that lives.
 *
 * A slot maps a window of some packets of its file. When they are full it adds packets, maps them
 * as its next window and unmaps the old one. Only the slot's thread and its signal handlers touch
 * a slot: `busy` tells them apart. The list of free slots is shared: its head carries a count of
 * changes beside the slot, so that a slot that was taken and given back in between is noticed.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

/* Packets in a window: the first is one, each next twice as many up to this. */
#define WINDOW_MOST 16u

#define LINK_MASK UINT64_C(0xffffffff)
#define CHANGE    (UINT64_C(1) << 32)

static void push_free(struct el_log *log, struct el_slot *slot)
{
    uint64_t head = __atomic_load_n(&log->free_slots, __ATOMIC_RELAXED);
    uint64_t next;
    do {
        __atomic_store_n(&slot->link, (uint32_t)(head & LINK_MASK), __ATOMIC_RELAXED);
        next = ((head & ~LINK_MASK) + CHANGE) | (slot->number + 1);
    } while (!__atomic_compare_exchange_n(&log->free_slots, &head, next, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

static struct el_slot *pop_free(struct el_log *log)
{
    uint64_t head = __atomic_load_n(&log->free_slots, __ATOMIC_ACQUIRE);
    while ((head & LINK_MASK) != 0) {
        struct el_slot *slot = &log->slots[(head & LINK_MASK) - 1];
        uint32_t link = __atomic_load_n(&slot->link, __ATOMIC_RELAXED);
        uint64_t next = ((head & ~LINK_MASK) + CHANGE) | link;
        if (__atomic_compare_exchange_n(&log->free_slots, &head, next, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_ACQUIRE))
            return slot;
    }
    return NULL;
}

static struct el_slot *make_slot(struct el_log *log)
{
    uint32_t number = __atomic_load_n(&log->made_slots, __ATOMIC_RELAXED);
    do {
        if (number >= EL_SLOTS_MOST)
            return NULL;
    } while (!__atomic_compare_exchange_n(&log->made_slots, &number, number + 1, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    struct el_slot *slot = &log->slots[number];
    slot->log = log;
    slot->number = number;
    return slot;
}

static void use_packet(struct el_slot *slot, char *at)
{
    slot->packet = (struct el_packet *)at;
    slot->next = at + sizeof(struct el_packet);
    slot->limit = at + slot->log->page - EL_LAST_WORDS;
}

/* The event that says why there are no more; room was kept for it. */
static void write_stopped(struct el_slot *slot, enum el_stop_reason reason, int error)
{
    struct el_stopped event = {.reason = reason, .error = -error};
    _Static_assert(sizeof(uint64_t) + sizeof(event) <= EL_LAST_WORDS, "room kept for it");
    if (slot->packet == NULL)
        return;
    uint64_t now = el_now(slot->log);
    slot->last = now > slot->last ? now : slot->last;
    *(uint64_t *)slot->next = EL_WORD((uint64_t)EL_ID_stopped, slot->last);
    memcpy(slot->next + sizeof(uint64_t), &event, sizeof(event));
    char *end = slot->next + sizeof(uint64_t) + sizeof(event);
    __atomic_store_n(&slot->packet->content_bits, (uint64_t)(end - (char *)slot->packet) * 8,
                     __ATOMIC_RELEASE);
}

/* How many packets the next window has, paid for: fewer where the log is half full, so that what is
 * left serves many threads. 0: there is no room. */
static uint32_t plan_window(struct el_slot *slot)
{
    struct el_log *log = slot->log;
    const uint32_t last = slot->window_bytes / log->page;
    uint32_t count = last == 0 ? 1 : last < WINDOW_MOST ? last * 2 : WINDOW_MOST;
    if (el_fill(log) >= 8)
        count = 1;
    return el_budget_take(log, (uint64_t)count * log->page) ? count : 0;
}

/* Maps a next window of the slot's file. */
static bool grow(struct el_slot *slot)
{
    struct el_log *log = slot->log;
    const uint32_t count = plan_window(slot);
    const uint64_t bytes = (uint64_t)count * log->page;
    enum el_stop_reason reason = EL_STOP_LOG_SIZE;
    int error = 0;

    if (count > 0) {
        char *window = el_files_grow(log, slot, slot->file_bytes, count, &error);
        if (error == -EMFILE || error == -ENFILE)
            window = el_files_stretch(log, slot, count);
        if (window != NULL) {
            char *old = slot->window;
            uint32_t old_bytes = slot->window_bytes;
            /* The slot leaves its old window before that is unmapped: a child that is forked in
             * between must not unmap what may be somebody else's by then. */
            slot->window = window;
            slot->window_bytes = (uint32_t)bytes;
            slot->file_bytes += bytes;
            use_packet(slot, window);
            __atomic_signal_fence(__ATOMIC_SEQ_CST);
            if (old != NULL)
                el_sys_unmap(old, old_bytes);
            return true;
        }
        el_budget_return(log, bytes);
        reason = el_stop_reason_of(error);
    }
    if (reason != EL_STOP_NONE && !el_is_stopped(log)) {
        write_stopped(slot, reason, error);
        el_stop(log, reason, error);
    }
    return false;
}

struct el_slot *el_slot_acquire(struct el_log *log, uint32_t tid)
{
    if (log->slots == NULL || el_is_stopped(log))
        return NULL;
    struct el_slot *slot = pop_free(log);
    if (slot == NULL)
        slot = make_slot(log);
    if (slot == NULL)
        return NULL;
    slot->tid = tid;
    if (slot->packet == NULL && !grow(slot)) {
        push_free(log, slot);
        return NULL;
    }
    slot->busy = 0;
    return slot;
}

void el_slot_release(struct el_slot *slot)
{
    slot->tid = 0;
    push_free(slot->log, slot);
}

static void count_lost(struct el_slot *slot, uint64_t *counter)
{
    el_count(counter, 1);
    uint64_t lost = __atomic_add_fetch(&slot->lost, 1, __ATOMIC_RELAXED);
    slot->packet->lost = lost;
}

void *el_slot_drop(struct el_slot *slot)
{
    struct el_summary *summary = slot->log->summary;
    count_lost(slot, slot->busy ? &summary->lost_reentered : &summary->lost_full);
    return NULL;
}

/* Called by el_reserve, busy: the packet has no room for the record. */
bool el_slot_turn(struct el_slot *slot, size_t bytes)
{
    bool turned = false;
    if (bytes <= EL_RECORD_MOST - sizeof(uint64_t)) {
        char *at = (char *)slot->packet + slot->log->page;
        if (at < slot->window + slot->window_bytes) {
            use_packet(slot, at);
            slot->packet->tid = slot->tid;
            slot->packet->lost = slot->lost;
            turned = true;
        } else {
            turned = grow(slot);
        }
    }
    if (!turned) {
        count_lost(slot, &slot->log->summary->lost_full);
        slot->busy = 0;
    }
    return turned;
}

bool el_write_text(struct el_slot *slot, enum el_id id, uint64_t time, const void *fields,
                   size_t fixed, const char *text)
{
    const size_t most = EL_RECORD_MOST - sizeof(uint64_t) - fixed - 1;
    size_t length = text != NULL ? strnlen(text, most) : 0;
    char *to = el_reserve(slot, id, time, fixed + length + 1);
    if (to == NULL)
        return false;
    memcpy(to, fields, fixed);
    if (length > 0)
        memcpy(to + fixed, text, length);
    to[fixed + length] = '\0';
    el_commit(slot, fixed + length + 1);
    return true;
}

bool el_write_sequence(struct el_slot *slot, enum el_id id, uint64_t time, const void *fields,
                       size_t fixed, const uint64_t *items, uint64_t count)
{
    const uint64_t most = (EL_RECORD_MOST - sizeof(uint64_t) - fixed) / sizeof(uint64_t) - 1;
    if (count > most)
        count = most;
    size_t bytes = fixed + sizeof(uint64_t) + count * sizeof(uint64_t);
    char *to = el_reserve(slot, id, time, bytes);
    if (to == NULL)
        return false;
    memcpy(to, fields, fixed);
    memcpy(to + fixed, &count, sizeof(count));
    if (count > 0)
        memcpy(to + fixed + sizeof(count), items, count * sizeof(uint64_t));
    el_commit(slot, bytes);
    return true;
}
