/*
 * image.h - one program or library file, opened for looking up addresses.
 *
 * Uses libdwfl with the file as an offline module: separate debug information (build-id or
 * debuglink) and dwz files are found by it. Addresses here are those in the file.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stdint.h>

struct image;

/* What an address is, innermost first. Strings are valid during the callback. */
struct image_frame {
    const char *function; /* demangled, NULL when unknown */
    const char *file;     /* NULL when unknown */
    unsigned line;
    bool inlined; /* into the frame that follows */
};

typedef void (*image_frame_fn)(void *arg, const struct image_frame *frame);

/* `debug_path` is a search path in the form of libdwfl's debuginfo_path; it must outlive the image.
 * NULL when the file is no ELF file that can be used. */
struct image *image_open(const char *file, char *debug_path);
void image_close(struct image *im);

/* Calls `fn` for each frame at that address and returns how many there were: 0 when nothing is
 * known of it. */
unsigned image_lookup(struct image *im, uint64_t address, image_frame_fn fn, void *arg);

/* Whether the file defines a function of that name. */
bool image_defines(struct image *im, const char *symbol);
/* Whether there is debug information. */
bool image_has_dwarf(struct image *im);
/* Whether something that was looked up lay in a unit whose .dwo file is not there. */
bool image_lacks_split(const struct image *im);

#endif
