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

/* Packets of events are one page: the file grows by whole pages, and each is a valid, empty packet
 * from the instant it is part of the file. Where pages are larger, so are packets. The cells of a
 * chunk are one packet. */
#define EL_PACKET_BYTES 4096u
#define EL_PACKET_MOST  65536u
/* The longest packet of cells that a reader believes in. */
#define EL_CHUNK_MOST (UINT64_C(1) << 30)

/* At the end of a packet of events, room that is kept for the event `stopped`. */
#define EL_LAST_WORDS 16u
/* The longest record, header word included. Texts and sequences are cut to fit. */
#define EL_RECORD_MOST (EL_PACKET_BYTES - sizeof(struct el_packet) - EL_LAST_WORDS)

/* Behind the name of a process's directory: nothing could be written in it. */
#define EL_DIR_FAILED ".failed"
/* The first file of cells. */
#define EL_SUMMARY_FILE "cells-summary-0"

#define EL_WORD(id, time)  ((uint64_t)(time) << 8 | (id))
#define EL_WORD_ID(word)   ((uint32_t)((word)&0xff))
#define EL_WORD_TIME(word) ((word) >> 8)
#define EL_ROUND8(n)       (((n) + 7u) & ~(size_t)7)

#endif
