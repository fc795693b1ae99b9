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

struct weft__context {
    void *sp; /* NULL: has no stack yet */
#ifdef WEFT_ASAN
    void *fake;
    const void *low;
    size_t size;
#endif
#ifdef WEFT_TSAN
    void *fiber;
#endif
};

void weft__arch_switch(void **save, void *to);
void weft__arch_entry(void);

/* Goes on at `to`; returns when somebody goes on at `from`. `last`: nobody ever will. */
static inline void weft__jump(struct weft__context *from, struct weft__context *to, bool last)
{
    (void)last;
#ifdef WEFT_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->low, to->size);
#endif
#ifdef WEFT_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    weft__arch_switch(&from->sp, to->sp);
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
#if defined(__x86_64__)
    /* Six registers and the address; at the entry the stack is 8 off 16, as after a call. */
    /* The words above stay zero, for whoever walks the stack without unwind tables. */
    uint64_t *sp = (uint64_t *)(void *)high - 10;
    for (int i = 0; i < 10; i++)
        sp[i] = 0;
    sp[6] = (uint64_t)weft__arch_entry;
#elif defined(__aarch64__)
    uint64_t *sp = (uint64_t *)(void *)high - 22;
    for (int i = 0; i < 22; i++)
        sp[i] = 0;
    sp[1] = (uint64_t)weft__arch_entry;
#else
#error "no stack switch for this architecture"
#endif
    context->sp = sp;
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
