/*
 * message.h - what the command says on standard error.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

/* "loiter: " and the text and a line end. */
__attribute__((format(printf, 1, 2))) void message(const char *fmt, ...);
/* The same for a text to be freed afterwards. */
void message_take(char *text);

#endif
