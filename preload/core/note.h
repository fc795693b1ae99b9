/*
 * note.h - locks that a runtime notes where Loiter looks, instead of telling of each: loiter.h.
 *
 * Most locks are given up before anybody has asked who holds what. Whoever asks on the thread
 * itself comes by pl_follow, which takes the note over into the list of the task that runs there: a
 * wait, a call for the outside, another lock, a fork. What is noted and held over more than one
 * tick is shown from outside, in a cell of its own, until the next tick finds it gone. Guard on.
 */
#ifndef PRELOAD_CORE_NOTE_H
#define PRELOAD_CORE_NOTE_H

#include <loiter.h>
#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/gate.h"

/* The thread has its note there, NULL: nowhere; `running` and the offset as of pl_self. */
PL_HIDDEN void pl_note_begin(struct pl_self *self, struct loiter_note *note);

/* Takes the note over into the list of the thread's current actor, whose stack's bounds are known.
 */
PL_HIDDEN void pl_note_take(struct pl_self *self);

/* One more lock was taken, or is about to be, that is not noted: how many it stands for, 0: it is
 * no sample. */
PL_HIDDEN uint32_t pl_note_uses(struct pl_self *self);

/* Somebody else gives the lock up. 0: nobody has noted it. */
PL_HIDDEN int pl_note_drop(const void *lock);

/* What is noted now, by whatever thread: `all`, or what was noted at the last call already. */
PL_HIDDEN void pl_notes_show(struct pl_self *self, int all);

/* In a fork child, and at the start. */
PL_HIDDEN void pl_notes_reset(void);

/* This process is never recorded: so all locks may be noted, as long as they fit. The second where
 * a thread has its note, NULL: none any more; the third when one was told of, the last when another
 * task is to run there, which has its own. They do nothing where there is a record, or was. */
PL_HIDDEN void pl_notes_rest(void);
PL_HIDDEN void pl_note_unread(struct loiter_note *note);
PL_HIDDEN void pl_note_refill(void);
PL_HIDDEN void pl_note_empty(void);

#endif
