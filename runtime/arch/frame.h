/* Where a context stands: on its own stack while it is suspended. */
#ifndef WEFT_ARCH_FRAME_H
#define WEFT_ARCH_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct weft__frame {
    void *sp, *fp, *pc;
};

/* Where a fresh stack begins; calls weft__task_main. */
void weft__arch_entry(void);

#endif
