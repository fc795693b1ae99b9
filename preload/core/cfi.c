/*
 * cfi.c - see cfi.h.
 *
 * Design notes. A module's .eh_frame_hdr is a table sorted by address; it leads to the FDE (one
 * function) and its CIE (what functions have in common). Both hold a program of row operations; it
 * is run up to the row of the address asked for, keeping only what matters for a walk: how the CFA
 * is found, where the frame pointer and the return address lie. All reading is bounded by the
 * lengths that the records give.
 */
#include "preload/core/cfi.h"

#include <dlfcn.h>
#include <string.h>

#if defined(__x86_64__)
#define REG_FP 6
#define REG_SP 7
#define REG_RA 16
#elif defined(__aarch64__)
#define REG_FP 29
#define REG_RA 30
#define REG_SP 31
#endif

#define STATES_MAX 8

static int (*find_object)(void *pc, struct dl_find_object *result);

void pl_cfi_start(void)
{
    void *found = dlsym(RTLD_DEFAULT, "_dl_find_object");
    memcpy(&find_object, &found, sizeof(found));
}

uintptr_t pl_cfi_module(uintptr_t address)
{
    struct dl_find_object object;
    if (find_object == NULL || find_object((void *)address, &object) != 0) /* NOLINT */
        return 0;
    return (uintptr_t)object.dlfo_map_start;
}

struct cursor {
    const uint8_t *at, *end;
};

static uint64_t take_fixed(struct cursor *c, size_t bytes)
{
    uint64_t value = 0;
    if ((size_t)(c->end - c->at) < bytes) {
        c->at = c->end;
        return 0;
    }
    memcpy(&value, c->at, bytes);
    c->at += bytes;
    return value;
}

static uint64_t take_uleb(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return value;
}

static int64_t take_sleb(struct cursor *c)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    while (c->at < c->end) {
        byte = *c->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) == 0)
            break;
    }
    if (shift < 64 && (byte & 0x40) != 0)
        value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

/* A pointer in one of DW_EH_PE's encodings; `base` is what "datarel" is relative to. */
static uintptr_t take_pointer(struct cursor *c, uint8_t encoding, uintptr_t base)
{
    uintptr_t here = (uintptr_t)c->at;
    uint64_t value;
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = take_fixed(c, 8);
        break;
    case 0x01:
        value = take_uleb(c);
        break;
    case 0x02:
        value = take_fixed(c, 2);
        break;
    case 0x03:
        value = take_fixed(c, 4);
        break;
    case 0x09:
        value = (uint64_t)take_sleb(c);
        break;
    case 0x0a:
        value = (uint64_t)(int16_t)take_fixed(c, 2);
        break;
    case 0x0b:
        value = (uint64_t)(int32_t)take_fixed(c, 4);
        break;
    default:
        c->at = c->end;
        return 0;
    }
    if ((encoding & 0x70) == 0x10)
        value += here;
    else if ((encoding & 0x70) == 0x30)
        value += base;
    return (uintptr_t)value;
}

/* One row of a function's table, as far as a walk needs it. */
struct row {
    uint32_t cfa_kind; /* pl_rule_kind */
    int64_t cfa;
    int64_t fp, ra;       /* offsets from the CFA */
    uint8_t fp_by_fp;     /* `fp` counts from the frame pointer */
    uint8_t fp_ok, ra_ok; /* 0: in a way that is not understood */
    uint8_t ra_undefined; /* the outermost frame */
};

struct program {
    uint64_t code_align;
    int64_t data_align;
    uint64_t ra_reg;
    uint8_t encoding;
    uint8_t signal;
    uint8_t augmented;
    struct row first; /* after the CIE's own operations */
};

static void row_offset(struct row *row, const struct program *p, uint64_t reg, int64_t offset)
{
    if (reg == REG_FP) {
        row->fp = offset;
        row->fp_ok = 1;
        row->fp_by_fp = 0;
    } else if (reg == p->ra_reg) {
        row->ra = offset;
        row->ra_ok = 1;
        row->ra_undefined = 0;
    }
}

static void row_unknown(struct row *row, const struct program *p, uint64_t reg)
{
    if (reg == REG_FP)
        row->fp_ok = 0;
    else if (reg == p->ra_reg)
        row->ra_ok = 0;
}

static void row_restore(struct row *row, const struct program *p, uint64_t reg)
{
    if (reg == REG_FP) {
        row->fp = p->first.fp;
        row->fp_ok = p->first.fp_ok;
        row->fp_by_fp = p->first.fp_by_fp;
    } else if (reg == p->ra_reg) {
        row->ra = p->first.ra;
        row->ra_ok = p->first.ra_ok;
        row->ra_undefined = p->first.ra_undefined;
    }
}

static void row_cfa(struct row *row, uint64_t reg, int64_t offset)
{
    row->cfa = offset;
    row->cfa_kind = reg == REG_SP ? PL_RULE_SP : reg == REG_FP ? PL_RULE_FP : PL_RULE_UNKNOWN;
}

/* The block of an expression; the cursor goes behind it. */
static struct cursor take_block(struct cursor *c)
{
    uint64_t length = take_uleb(c);
    if (length > (uint64_t)(c->end - c->at))
        length = (uint64_t)(c->end - c->at);
    struct cursor block = {c->at, c->at + length};
    c->at += length;
    return block;
}

/* A function that realigns its stack has its frame pointer point to where these lie:
 * the CFA is the word at frame pointer + n, */
static void row_cfa_expression(struct row *row, struct cursor *c)
{
    struct cursor e = take_block(c);
    row->cfa_kind = PL_RULE_UNKNOWN;
    if (take_fixed(&e, 1) != 0x70 + REG_FP) /* DW_OP_breg */
        return;
    row->cfa = take_sleb(&e);
    if (take_fixed(&e, 1) == 0x06 && e.at == e.end) /* DW_OP_deref */
        row->cfa_kind = PL_RULE_FP_AT;
}

/* and the caller's frame pointer is saved at frame pointer + n. */
static void row_expression(struct row *row, const struct program *p, uint64_t reg, struct cursor *c)
{
    struct cursor e = take_block(c);
    if (reg != REG_FP || take_fixed(&e, 1) != 0x70 + REG_FP) {
        row_unknown(row, p, reg);
        return;
    }
    row->fp = take_sleb(&e);
    row->fp_ok = e.at == e.end;
    row->fp_by_fp = 1;
}

/* The operations that redefine the CFA. 0 when `op` is none of them. */
static int run_cfa_op(struct cursor *c, const struct program *p, struct row *row, uint8_t op)
{
    uint64_t reg;
    switch (op) {
    case 0x0c: /* def_cfa */
        reg = take_uleb(c);
        row_cfa(row, reg, (int64_t)take_uleb(c));
        return 1;
    case 0x12: /* def_cfa_sf */
        reg = take_uleb(c);
        row_cfa(row, reg, take_sleb(c) * p->data_align);
        return 1;
    case 0x0d: /* def_cfa_register */
        row_cfa(row, take_uleb(c), row->cfa);
        return 1;
    case 0x0e: /* def_cfa_offset */
        row->cfa = (int64_t)take_uleb(c);
        return 1;
    case 0x13: /* def_cfa_offset_sf */
        row->cfa = take_sleb(c) * p->data_align;
        return 1;
    case 0x0f: /* def_cfa_expression */
        row_cfa_expression(row, c);
        return 1;
    default:
        return 0;
    }
}

/* The operations that say where a register is saved. 0 when `op` is none of them. */
static int run_register_op(struct cursor *c, const struct program *p, struct row *row, uint8_t op)
{
    uint64_t reg;
    switch (op) {
    case 0x05: /* offset_extended */
        reg = take_uleb(c);
        row_offset(row, p, reg, (int64_t)take_uleb(c) * p->data_align);
        return 1;
    case 0x11: /* offset_extended_sf */
        reg = take_uleb(c);
        row_offset(row, p, reg, take_sleb(c) * p->data_align);
        return 1;
    case 0x2e: /* GNU_args_size */
        take_uleb(c);
        return 1;
    case 0x06: /* restore_extended */
        row_restore(row, p, take_uleb(c));
        return 1;
    case 0x07: /* undefined */
        reg = take_uleb(c);
        if (reg == p->ra_reg)
            row->ra_undefined = 1;
        else
            row_unknown(row, p, reg);
        return 1;
    case 0x08: /* same_value */
        reg = take_uleb(c);
        if (reg == REG_FP)
            row_offset(row, p, reg, 0);
        else
            row_unknown(row, p, reg);
        return 1;
    case 0x09: /* register */
        row_unknown(row, p, take_uleb(c));
        take_uleb(c);
        return 1;
    case 0x10: /* expression */
        reg = take_uleb(c);
        row_expression(row, p, reg, c);
        return 1;
    case 0x16: /* val_expression */
        row_unknown(row, p, take_uleb(c));
        take_block(c);
        return 1;
    case 0x14: /* val_offset */
    case 0x15: /* val_offset_sf */
        row_unknown(row, p, take_uleb(c));
        take_uleb(c);
        return 1;
    default:
        return 0;
    }
}

/* The operations that go on to a later location. 0 when `op` is none of them. */
static int run_advance_op(struct cursor *c, const struct program *p, uintptr_t *loc, uint8_t op)
{
    if ((op & 0xc0) == 0x40) {
        *loc += (op & 0x3f) * p->code_align;
    } else if (op == 0x01) { /* set_loc */
        *loc = take_pointer(c, p->encoding, 0);
    } else if (op >= 0x02 && op <= 0x04) {
        *loc += take_fixed(c, (size_t)1 << (op - 2)) * p->code_align;
    } else {
        return 0;
    }
    return 1;
}

/* Runs operations from location `loc` until the row that holds `pc`. 0, or -1 for one that is not
 * known. */
static int run_program(struct cursor c, const struct program *p, struct row *row, uintptr_t loc,
                       uintptr_t pc)
{
    struct row saved[STATES_MAX];
    unsigned depth = 0;
    while (c.at < c.end) {
        uint8_t op = (uint8_t)take_fixed(&c, 1);
        if (run_advance_op(&c, p, &loc, op)) {
            if (loc > pc)
                return 0;
        } else if ((op & 0xc0) == 0x80) {
            row_offset(row, p, op & 0x3f, (int64_t)take_uleb(&c) * p->data_align);
        } else if ((op & 0xc0) == 0xc0) {
            row_restore(row, p, op & 0x3f);
        } else if (op == 0x0a) { /* remember_state */
            if (depth == STATES_MAX)
                return -1;
            saved[depth++] = *row;
        } else if (op == 0x0b) { /* restore_state */
            if (depth == 0)
                return -1;
            *row = saved[--depth];
        } else if (op != 0x00 && op != 0x2d && !run_cfa_op(&c, p, row, op) &&
                   !run_register_op(&c, p, row, op)) {
            return -1; /* neither nop nor negate_ra_state of aarch64 */
        }
    }
    return 0;
}

/* A record's body: after its length. */
static struct cursor record_body(const uint8_t *at)
{
    struct cursor c = {at, at + 12};
    uint64_t length = take_fixed(&c, 4);
    if (length == 0xffffffff)
        length = take_fixed(&c, 8);
    if (length > (1u << 24))
        length = 0;
    c.end = c.at + length;
    return c;
}

static int read_cie(const uint8_t *at, struct program *p)
{
    struct cursor c = record_body(at);
    take_fixed(&c, 4); /* id */
    uint8_t version = (uint8_t)take_fixed(&c, 1);
    const char *augmentation = (const char *)c.at;
    while (c.at < c.end && *c.at != 0)
        c.at++;
    take_fixed(&c, 1);
    if ((version != 1 && version != 3) || c.at >= c.end)
        return -1;
    p->code_align = take_uleb(&c);
    p->data_align = take_sleb(&c);
    p->ra_reg = version == 1 ? take_fixed(&c, 1) : take_uleb(&c);
    if (*augmentation == 'z') {
        p->augmented = 1;
        uint64_t length = take_uleb(&c);
        if (length > (uint64_t)(c.end - c.at))
            return -1;
        struct cursor data = {c.at, c.at + length};
        c.at += length;
        for (const char *a = augmentation + 1; *a != 0; a++) {
            if (*a == 'R')
                p->encoding = (uint8_t)take_fixed(&data, 1);
            else if (*a == 'P') {
                uint8_t encoding = (uint8_t)take_fixed(&data, 1);
                take_pointer(&data, encoding & 0x0f, 0);
            } else if (*a == 'L')
                take_fixed(&data, 1);
            else if (*a == 'S')
                p->signal = 1;
            else if (*a != 'B')
                break;
        }
    } else if (*augmentation != 0) {
        return -1;
    }
    p->first = (struct row){.fp_ok = 1};
    return run_program(c, p, &p->first, 0, UINTPTR_MAX);
}

/* The FDE that the sorted table gives for `pc`, NULL when there is none. */
static const uint8_t *find_fde(const uint8_t *hdr, uintptr_t pc)
{
    if (hdr == NULL || hdr[0] != 1 || hdr[3] != 0x3b)
        return NULL;
    struct cursor c = {hdr + 4, hdr + 24};
    take_pointer(&c, hdr[1], (uintptr_t)hdr);
    size_t n = take_pointer(&c, hdr[2], (uintptr_t)hdr);
    const int32_t *table = (const int32_t *)(const void *)c.at;
    int64_t relative = (int64_t)(pc - (uintptr_t)hdr);
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (table[mid * 2] <= relative)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 ? NULL : hdr + table[(lo - 1) * 2 + 1];
}

static struct pl_rule rule_of_row(const struct program *p, const struct row *row)
{
    struct pl_rule rule = {.kind = PL_RULE_UNKNOWN};
    if (p->signal) {
        rule.kind = PL_RULE_SIGNAL;
        return rule;
    }
    if (row->ra_undefined) {
        rule.kind = PL_RULE_END;
        return rule;
    }
    if (!row->ra_ok || !row->fp_ok || row->cfa != (int32_t)row->cfa ||
        row->fp != (int16_t)row->fp || row->ra != (int16_t)row->ra)
        return rule;
    if (row->fp_by_fp != (row->cfa_kind == PL_RULE_FP_AT))
        return rule;
    rule.kind = row->cfa_kind;
    rule.cfa = (int32_t)row->cfa;
    rule.fp = (int32_t)row->fp;
    rule.ra = (int32_t)row->ra;
    return rule;
}

struct pl_rule pl_cfi_rule(uintptr_t pc)
{
    struct pl_rule unknown = {.kind = PL_RULE_UNKNOWN};
    struct dl_find_object object;
    if (find_object == NULL || find_object((void *)pc, &object) != 0)
        return unknown;
    const uint8_t *fde = find_fde(object.dlfo_eh_frame, pc);
    if (fde == NULL)
        return unknown;
    struct cursor c = record_body(fde);
    const uint8_t *id_at = c.at;
    uint64_t back = take_fixed(&c, 4);
    struct program p = {0};
    if (back == 0 || read_cie(id_at - back, &p) != 0)
        return unknown;
    uintptr_t begin = take_pointer(&c, p.encoding, 0);
    uintptr_t length = take_pointer(&c, p.encoding & 0x0f, 0);
    if (pc < begin || pc - begin >= length)
        return unknown;
    if (p.augmented)
        take_block(&c);
    struct row row = p.first;
    if (run_program(c, &p, &row, begin, pc) != 0)
        return unknown;
    return rule_of_row(&p, &row);
}
