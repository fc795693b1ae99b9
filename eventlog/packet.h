/*
 * packet.h - how bytes lie in the files of a record: what writer, reader and metadata agree on.
 *
 * A file is a row of packets without gaps. A packet is this head, then records: a header word
 * (time << 8 | id), the record's fields, and padding up to the next multiple of 8. content_bits
 * ends with the last record, before its padding. What lies between content and end of a packet is
 * no record.
 */
#ifndef EVENTLOG_PACKET_H
#define EVENTLOG_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define EL_MAGIC UINT32_C(0xC1FC1FC1)

enum el_stream { EL_STREAM_EVENTS = 0, EL_STREAM_CELLS = 1 };

struct el_packet {
    uint32_t magic;
    uint8_t uuid[16];
    uint32_t stream; /* el_stream */
    /* The packet context of CTF begins here. */
    uint64_t content_bits; /* from the packet's first byte */
    uint64_t packet_bits;
    uint64_t lost;   /* records of this file lost so far, over all its packets */
    uint64_t number; /* of this packet in its file, from 0 */
    uint32_t tid;    /* kernel's thread id of who began the packet, 0 for cells */
    uint32_t slot;   /* of the events, or id of the cells */
};
_Static_assert(sizeof(struct el_packet) == 64, "the metadata says so");

/* Packets of events begin small, so that ten thousand threads are affordable, and double up to a
 * limit. A page where pages are larger than the least. */
#define EL_PACKET_LEAST 4096u
#define EL_PACKET_MOST  65536u
/* A packet that a reader believes in is at most this long; the cells of a large program are. */
#define EL_PACKET_LIMIT (UINT64_C(1) << 32)

/* The longest record, header word included: it fits into any packet but the first. */
#define EL_RECORD_MOST 7168u
/* The longest text (final NUL included) and sequence in a record. Longer ones are cut. */
#define EL_TEXT_MOST 6144u
#define EL_SEQ_MOST  512u

#define EL_WORD(id, time)  ((uint64_t)(time) << 8 | (id))
#define EL_WORD_ID(word)   ((uint32_t)((word)&0xff))
#define EL_WORD_TIME(word) ((word) >> 8)
#define EL_ROUND8(n)       (((n) + 7u) & ~(size_t)7)

#endif
