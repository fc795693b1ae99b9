/*
 * app.h - whether a frame belongs to the program that was tested.
 *
 * The place and the fingerprint of a finding come from frames of the program; frames of libc, the
 * loader, language runtimes, Weft and Loiter are shown but are nobody's fault.
 */
#ifndef APP_H
#define APP_H

#include <stdbool.h>

struct finding_frame;

/* `with_weft`: the frame's module defines Weft itself (a program linked with libweft.a), so the
 * runtime's frames in it are told by the source file, or by name where there is none. */
bool app_frame(const struct finding_frame *frame, bool with_weft);

/* Whether the module at that path is Loiter's own library. */
bool app_is_loiter(const char *module);

#endif
