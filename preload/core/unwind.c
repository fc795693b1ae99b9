/* unwind.c - see unwind.h. Rules are kept in a table of the process, by address. */
#include "preload/core/unwind.h"

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include "preload/core/cfi.h"
#include "preload/core/sys.h"

#define RULES        16384
#define RULES_A_PAGE 256
#define WAYS         4 /* rules of a set, which is a cache line */
#define BITS_LEAST   8 /* of sets that are used: few rules touch few pages */
#define BITS_MOST    12
#define BITS_STEP    2

/* The packed rule and the same xor the address: a torn pair fits no address. */
static struct {
    _Atomic uint64_t rule, check;
} rules[RULES] PL_LARGE __attribute__((aligned(4096)));
static _Atomic uint64_t generation;

/* Which pages of the rules have any. What was only read of fresh memory is a page of zeros that all
 * share, and to write there later means to interrupt all processors that the program runs on. */
static _Atomic uint64_t rules_there;
_Static_assert(RULES / RULES_A_PAGE == 64, "a bit for each");
_Static_assert(WAYS << BITS_MOST == RULES, "all are used in the end");

/* Bits beyond BITS_LEAST, and rules that had to go since there are so many. With more of them what
 * is known is not found any more. */
static _Atomic uint32_t more_bits, gone;

void pl_unwind_forget(void)
{
    atomic_fetch_add(&generation, UINT64_C(1) << 48);
}

static uint64_t rule_pack(struct pl_rule r)
{
    return (uint64_t)r.kind << 61 | (uint64_t)((uint32_t)r.cfa & 0x1fffffff) << 32 |
           (uint64_t)(uint16_t)r.fp << 16 | (uint16_t)r.ra;
}

static struct pl_rule rule_unpack(uint64_t packed)
{
    struct pl_rule r;
    r.kind = (uint32_t)(packed >> 61);
    r.cfa = (int32_t)((uint32_t)(packed >> 32) << 3) >> 3;
    r.fp = (int16_t)(packed >> 16);
    r.ra = (int16_t)packed;
    return r;
}

static struct pl_rule rule_make(uintptr_t pc, uint64_t *packed)
{
    struct pl_rule rule = pl_cfi_rule(pc);
    if (rule.cfa < -(1 << 28) || rule.cfa >= 1 << 28)
        rule = (struct pl_rule){.kind = PL_RULE_UNKNOWN};
    *packed = rule_pack(rule);
    return rule;
}

/* Which of the set makes room: one that is free, else one in turn. */
static size_t way_for(size_t set, uint32_t bits)
{
    for (size_t i = set; i < set + WAYS; i++) {
        if (atomic_load_explicit(&rules[i].check, memory_order_relaxed) == 0)
            return i;
    }
    const uint32_t n = atomic_load_explicit(&gone, memory_order_relaxed) + 1;
    const int full = bits < BITS_MOST && n >= 1u << bits;
    atomic_store_explicit(&gone, full ? 0 : n, memory_order_relaxed);
    if (full)
        atomic_store_explicit(&more_bits, bits + BITS_STEP - BITS_LEAST, memory_order_relaxed);
    return set + n % WAYS;
}

static struct pl_rule rule_of(uintptr_t pc)
{
    const uint64_t key = pc ^ atomic_load_explicit(&generation, memory_order_relaxed);
    const uint32_t bits = BITS_LEAST + atomic_load_explicit(&more_bits, memory_order_relaxed);
    const size_t set = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits)) * WAYS;
    const uint64_t page = UINT64_C(1) << set / RULES_A_PAGE;
    const uint64_t there = atomic_load_explicit(&rules_there, memory_order_relaxed);
    uint64_t packed;
    for (size_t i = set; (there & page) != 0 && i < set + WAYS; i++) {
        packed = atomic_load_explicit(&rules[i].rule, memory_order_relaxed);
        if ((packed ^ key) == atomic_load_explicit(&rules[i].check, memory_order_relaxed))
            return rule_unpack(packed);
    }
    const struct pl_rule rule = rule_make(pc, &packed);
    const size_t i = (there & page) != 0 ? way_for(set, bits) : set;
    atomic_store_explicit(&rules[i].rule, packed, memory_order_relaxed);
    atomic_store_explicit(&rules[i].check, packed ^ key, memory_order_relaxed);
    if ((there & page) == 0)
        atomic_fetch_or_explicit(&rules_there, page, memory_order_relaxed);
    return rule;
}

/* Reading of one stack: what is below `lo` or at and above `hi` is not touched. */
struct window {
    uintptr_t lo, hi;
    uintptr_t page_ok; /* hi unknown: this page was tried */
};

static int window_read(struct window *w, uintptr_t at, uintptr_t *value)
{
    if (at < w->lo || at % sizeof(uintptr_t) != 0)
        return -1;
    if (w->hi != 0) {
        if (at > w->hi - sizeof(uintptr_t))
            return -1;
    } else if (at / 4096 != w->page_ok) {
        if (!pl_sys_readable(at))
            return -1;
        w->page_ok = at / 4096;
    }
    *value = *(const uintptr_t *)at;
    return 0;
}

/* What a signal handler interrupted. The frame of the handler's return lies at sp. */
static int step_signal(struct window *w, struct pl_call *f, uintptr_t *slot)
{
#if defined(__x86_64__)
    uintptr_t regs = f->sp + offsetof(ucontext_t, uc_mcontext.gregs);
    uintptr_t sp_at = regs + REG_RSP * 8, fp_at = regs + REG_RBP * 8;
    *slot = regs + REG_RIP * 8;
#else
    uintptr_t context = f->sp + sizeof(siginfo_t);
    uintptr_t regs = context + offsetof(ucontext_t, uc_mcontext.regs);
    uintptr_t sp_at = context + offsetof(ucontext_t, uc_mcontext.sp), fp_at = regs + 29 * 8;
    *slot = context + offsetof(ucontext_t, uc_mcontext.pc);
#endif
    struct pl_call next;
    if (window_read(w, *slot, &next.pc) != 0 || window_read(w, sp_at, &next.sp) != 0 ||
        window_read(w, fp_at, &next.fp) != 0 || next.sp <= f->sp)
        return -1;
    *f = next;
    return 0;
}

static int step_frame(struct window *w, struct pl_rule rule, struct pl_call *f, uintptr_t *slot)
{
    uintptr_t cfa = (rule.kind == PL_RULE_SP ? f->sp : f->fp) + (uintptr_t)(intptr_t)rule.cfa;
    if (rule.kind == PL_RULE_FP_AT && window_read(w, cfa, &cfa) != 0)
        return -1;
    if (cfa <= f->sp)
        return -1;
    *slot = cfa + (uintptr_t)(intptr_t)rule.ra;
    uintptr_t fp = f->fp;
    if (window_read(w, *slot, &f->pc) != 0)
        return -1;
    uintptr_t base = rule.kind == PL_RULE_FP_AT ? f->fp : cfa;
    if ((rule.fp != 0 || rule.kind == PL_RULE_FP_AT) &&
        window_read(w, base + (uintptr_t)(intptr_t)rule.fp, &fp) != 0)
        return -1;
    f->pc = pl_plain_address(f->pc);
    f->fp = fp;
    f->sp = cfa;
    return 0;
}

void pl_unwind(struct pl_walk *walk, struct pl_call from)
{
    struct window w = {from.sp - sizeof(uintptr_t), walk->hi, 0};
    if (walk->hi != 0 && (from.sp >= walk->hi))
        w.hi = 0;
    from.pc = pl_plain_address(from.pc);
    walk->pcs[0] = from.pc;
    walk->slots[0] = 0;
    walk->n = 1;
    walk->truncated = 0;
    int interrupted = 0; /* the frame was interrupted and did not call */
    for (;;) {
        struct pl_rule rule = rule_of(from.pc - (interrupted ? 0 : 1));
        uintptr_t slot = 0;
        if (rule.kind == PL_RULE_UNKNOWN || rule.kind == PL_RULE_END)
            return;
        interrupted = rule.kind == PL_RULE_SIGNAL;
        int bad = interrupted ? step_signal(&w, &from, &slot) : step_frame(&w, rule, &from, &slot);
        if (bad || from.pc == 0)
            return;
        if (walk->n == walk->max) {
            walk->truncated = 1;
            return;
        }
        walk->pcs[walk->n] = from.pc;
        walk->slots[walk->n++] = slot;
    }
}
