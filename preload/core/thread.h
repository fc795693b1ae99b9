/*
 * thread.h - the life of an OS thread in the record. Guard on.
 */
#ifndef PRELOAD_CORE_THREAD_H
#define PRELOAD_CORE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/gate.h"

/* A pl_actor with the next serial number. NULL without room. */
PL_HIDDEN struct pl_actor *pl_thread_actor(void);

/* The calling thread is `actor` from now on. 0, or -1 without memory. tid 0: the kernel is asked.
 */
PL_HIDDEN int pl_thread_begin(struct pl_self *self, struct pl_actor *actor, uint32_t tid);

/* The calling thread ends; whatever it still calls passes through. */
PL_HIDDEN void pl_thread_finish(struct pl_self *self, uint32_t how);

/* The process ends: threads that were made past pthread_create end in the record if they are gone.
 */
PL_HIDDEN void pl_threads_at_end(struct pl_self *self);

/* In a fork child: the calling thread belongs to nothing. */
PL_HIDDEN void pl_thread_reset(struct pl_self *self);

/* By pthread_t. pl_thread_know is called by the creator and by the thread itself, whoever is first
 * does it. pl_thread_released: joined or detached; its cell goes when it has ended too. */
PL_HIDDEN void pl_thread_know(struct pl_actor *actor, pthread_t thread);
PL_HIDDEN struct pl_actor *pl_thread_find(pthread_t thread);
PL_HIDDEN void pl_thread_released(struct pl_actor *actor, enum el_actor_flags flag);

/* Calls back with every pl_thread there is, those that are free now too. */
PL_HIDDEN void pl_thread_each(void (*on)(struct pl_thread *thread, void *ctx), void *ctx);

/* At the start and in a fork child. */
PL_HIDDEN void pl_threads_reset(void);

#endif
