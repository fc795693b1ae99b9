/*
 * metadata.c - writes the file `metadata`: TSDL, the language in which CTF 1.8 describes a trace.
 *
 * The part that depends on the process comes first, then the declarations of all events, made from
 * events.def. Each statement has a line of its own: layout.c reads no more than that.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

#define HEAD_MOST 1024

static const char declarations[] =
    "typealias integer { size = 32; align = 32; signed = false; } := u32;\n"
    "typealias integer { size = 32; align = 32; signed = true; } := i32;\n"
    "typealias integer { size = 64; align = 64; signed = false; } := u64;\n"
    "typealias integer { size = 64; align = 64; signed = true; } := i64;\n"
    "typealias integer { size = 56; align = 1; signed = false; map = clock.ticks.value; } :="
    " ticks_t;\n"
    "struct record_header {\n"
    "\tinteger { size = 8; align = 64; signed = false; } id;\n"
    "\tticks_t timestamp;\n"
    "};\n"
    "struct packet_context {\n"
    "\tu64 content_size;\n"
    "\tu64 packet_size;\n"
    "\tu64 events_discarded;\n"
    "\tu64 packet_seq_num;\n"
    "\tu32 tid;\n"
    "\tu32 slot;\n"
    "};\n"
    "stream {\n"
    "\tid = 0;\n"
    "\tevent.header := struct record_header;\n"
    "\tpacket.context := struct packet_context;\n"
    "};\n"
    "stream {\n"
    "\tid = 1;\n"
    "\tevent.header := struct record_header;\n"
    "\tpacket.context := struct packet_context;\n"
    "};\n"
#define STREAM_EVENT "0"
#define STREAM_CELL  "1"
#define EL_EVENT(name, id, class, text, fields)                                                    \
    "event {\n"                                                                                    \
    "\tname = \"" #name "\";\n"                                                                    \
    "\tid = " #id ";\n"                                                                            \
    "\tstream_id = " STREAM_##class ";\n"                                                          \
                                    "\tfields := struct {\n" fields "\t};\n"                       \
                                    "};\n"
#define EL_U32(n, t)      "\t\tu32 " #n ";\n"
#define EL_I32(n, t)      "\t\ti32 " #n ";\n"
#define EL_U64(n, t)      "\t\tu64 " #n ";\n"
#define EL_I64(n, t)      "\t\ti64 " #n ";\n"
#define EL_ARR32(n, c, t) "\t\tu32 " #n "[" #c "];\n"
#define EL_ARR64(n, c, t) "\t\tu64 " #n "[" #c "];\n"
#define EL_STR(n, t)      "\t\tstring " #n ";\n"
#define EL_SEQ64(n, t)    "\t\tu64 " #n "_count;\n\t\tu64 " #n "[" #n "_count];\n"
#include "eventlog/events.def"
    ;

static void add_uuid(struct el_text *text, const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        char pair[3] = {digits[uuid[i] >> 4], digits[uuid[i] & 15], '\0'};
        if (i == 4 || i == 6 || i == 8 || i == 10)
            el_text_add(text, "-");
        el_text_add(text, pair);
    }
}

static void add_line(struct el_text *text, const char *name, uint64_t value)
{
    el_text_add(text, "\t");
    el_text_add(text, name);
    el_text_add(text, " = ");
    el_text_add_number(text, value);
    el_text_add(text, ";\n");
}

static const char *clock_word(uint32_t clock)
{
    switch (clock) {
    case EL_CLOCK_TSC:
        return "TSC";
    case EL_CLOCK_CNTVCT:
        return "CNTVCT_EL0";
    default:
        return "CLOCK_MONOTONIC";
    }
}

/* The clock's value 0 in time since the Epoch, as CTF wants it: whole seconds, and ticks. */
static void add_clock(struct el_text *text, const struct el_log *log)
{
    struct el_clocks clocks;
    el_read_clocks(log, &clocks);
    uint64_t begin_ns = clocks.realtime_ns - el_ticks_to_ns(log, clocks.at);
    el_text_add(text, "clock {\n\tname = \"ticks\";\n\tdescription = \"");
    el_text_add(text, clock_word(log->clock));
    el_text_add(text, "\";\n");
    add_line(text, "freq", log->clock_hz);
    add_line(text, "offset_s", begin_ns / 1000000000);
    add_line(text, "offset", el_ns_to_ticks(log, begin_ns % 1000000000));
    el_text_add(text, "};\n");
}

static void add_head(struct el_text *text, const struct el_log *log)
{
    el_text_add(text, "/* CTF 1.8 */\n"
                      "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
                      "trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"");
    add_uuid(text, log->uuid);
    el_text_add(text, "\";\n\tbyte_order = ");
    el_text_add(text, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "le" : "be");
    el_text_add(text, ";\n\tpacket.header := struct {\n"
                      "\t\tinteger { size = 32; align = 32; signed = false; base = hex; } magic;\n"
                      "\t\tuint8_t uuid[16];\n"
                      "\t\tinteger { size = 32; align = 32; signed = false; } stream_id;\n"
                      "\t};\n};\n"
                      "env {\n\ttracer_name = \"loiter\";\n");
    add_line(text, "format_major", EL_VERSION_MAJOR);
    add_line(text, "format_minor", EL_VERSION_MINOR);
    add_line(text, "vpid", el_sys_pid());
    el_text_add(text, "};\n");
    add_clock(text, log);
}

static long write_all(int fd, const char *from, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        long written = el_sys_write(fd, from + done, bytes - done);
        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? written : -ENOSPC;
        done += (size_t)written;
    }
    return (long)done;
}

long el_metadata_write(const struct el_log *log, int dir)
{
    char head[HEAD_MOST];
    struct el_text text = {head, head + sizeof(head)};
    const size_t size = sizeof(declarations) - 1;

    if (el_sys_file_limit() < sizeof(head) + size)
        return -EFBIG;
    add_head(&text, log);
    if (text.at == text.end)
        return -ENOBUFS;
    /* Under a hidden name until it is whole: a record has all of its metadata or none. */
    int fd = el_sys_open(dir, ".metadata", O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return fd;
    long first = write_all(fd, head, (size_t)(text.at - head));
    long second = first < 0 ? first : write_all(fd, declarations, size);
    el_sys_close(fd);
    if (second >= 0) {
        int error = el_sys_rename(dir, ".metadata", "metadata");
        second = error != 0 ? error : second;
    }
    if (second < 0) {
        el_sys_unlink(dir, ".metadata");
        return second;
    }
    return first + second;
}
