/*
 * unwind_late.c - what the cleanups of cancelled waits need of libgcc_s, looked up when something
 * is unwound.
 *
 * Linked to it, the library would bring it into every program, most of which never unwind; to load
 * it takes as long as all else that is done at a program's start. Whoever unwinds has it already,
 * as a rule. Hidden, so that the calls that the compiler makes come here.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

/* As the compiler calls them. Not from its header, which says that they come from elsewhere. */
typedef int personality_fn(int version, int actions, uint64_t kind, void *exception, void *context);
typedef void resume_fn(void *exception);
PL_HIDDEN personality_fn __gcc_personality_v0;
PL_HIDDEN resume_fn _Unwind_Resume;

#define CONTINUE_UNWIND 8

static _Atomic(void *) personality, resume;

static void *find(_Atomic(void *) *known, const char *name)
{
    void *found = atomic_load(known);
    void *library = found != NULL ? NULL : dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        found = dlsym(library, name);
        atomic_store(known, found);
    }
    return found;
}

/* Without it the cleanup is left out, and so nothing is there to be resumed. */
int __gcc_personality_v0(int version, int actions, uint64_t kind, void *exception, void *context)
{
    personality_fn *real;
    *(void **)&real = find(&personality, "__gcc_personality_v0");
    if (real == NULL)
        return CONTINUE_UNWIND;
    return real(version, actions, kind, exception, context);
}

void _Unwind_Resume(void *exception)
{
    resume_fn *real;
    *(void **)&real = find(&resume, "_Unwind_Resume");
    if (real != NULL)
        real(exception);
    __builtin_trap();
}
