/*
 * What a suspended stack is: a stack pointer, and what the sanitizers want to know of it. Switching
 * and preparing; nothing here knows of tasks.
 */
#ifndef WEFT_ARCH_CONTEXT_H
#define WEFT_ARCH_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
#include "runtime/arch/switch_x86_64.h"
#elif defined(__aarch64__)
#include "runtime/arch/switch_aarch64.h"
#else
#error "no stack switch for this architecture"
#endif

struct weft__context {
    struct weft__frame *frame; /* NULL: has no stack yet */
#ifdef WEFT_ASAN
    void *fake;
    const void *low;
    size_t size;
#endif
#ifdef WEFT_TSAN
    void *fiber;
#endif
};

/* Goes on at `to`; returns when somebody goes on at `from`. `last`: nobody ever will. */
static inline __attribute__((always_inline)) void
weft__jump(struct weft__context *from, const struct weft__context *to, bool last)
{
    struct weft__frame here, *at = &here, **left = &from->frame;
    (void)last;
#ifdef WEFT_ASAN
    /* With `last` the memory goes in which it may keep the locals of functions, these too. */
    static __thread struct weft__frame nobodys, *nobodys_at;
    if (last) {
        at = &nobodys;
        left = &nobodys_at;
    }
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->low, to->size);
#endif
#ifdef WEFT_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    weft__arch_switch(left, at, to->frame);
#ifdef WEFT_ASAN
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

/* The first thing that runs on a fresh stack. */
static inline void weft__arrived(void)
{
#ifdef WEFT_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

/* Makes `context` begin at weft__arch_entry on the stack [low, high). */
static inline void weft__context_prepare(struct weft__context *context, char *low, char *high)
{
    (void)low;
#ifdef WEFT_ASAN
    /* The task before left its last frames, which never returned. */
    ASAN_UNPOISON_MEMORY_REGION(low, (size_t)(high - low));
#endif
    /* Two words of zero at the end, for whoever walks the stack without unwind tables. */
    uint64_t *sp = (uint64_t *)(void *)high - 2;
    struct weft__frame *frame = (struct weft__frame *)(void *)(sp - 4);
    sp[0] = sp[1] = 0;
    weft__arch_prepare(frame, sp);
    __atomic_store_n(&context->frame, frame, __ATOMIC_RELAXED); /* a dump reads it */
#ifdef WEFT_ASAN
    context->low = low;
    context->size = (size_t)(high - low);
    context->fake = NULL;
#endif
#ifdef WEFT_TSAN
    context->fiber = __tsan_create_fiber(0);
#endif
}

/* The stack of a context that ended is free for another. */
static inline void weft__context_finish(struct weft__context *context)
{
    (void)context;
#ifdef WEFT_TSAN
    __tsan_destroy_fiber(context->fiber);
    context->fiber = NULL;
#endif
}

#endif
