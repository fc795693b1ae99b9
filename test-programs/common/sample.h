/*
 * sample.h - what the test programs share, so that each shows its mistake and little else.
 *
 * It does not check anything about Loiter: the programs know nothing of it.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>

/* Ends the program with a message when `condition` does not hold: a broken test program must not
 * look like a program without findings. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            sample_fail(__FILE__, __LINE__, #condition);                                           \
    } while (0)

#ifdef __cplusplus
extern "C" {
#endif

__attribute__((noreturn)) void sample_fail(const char *file, int line, const char *condition);

void sleep_ms(int ms);

/* Milliseconds of CLOCK_MONOTONIC. */
long now_ms(void);

/* Returns when no other thread of the process runs or is ready to: each has come to its wait or has
 * ended. For what must be seen waiting, where no lock can tell that it does. */
void wait_until_others_wait(void);

/* Whether the process has used so much processor time. On a busy machine a thread that spins may
 * hardly get to run: what it waits for comes once it has burned something. */
bool has_burned_ms(int ms);

/* Whether threads of the process have waited so often: for locks, where they do not wait for else.
 * On a busy machine they may hardly meet. To be asked again and again. */
bool has_waited(long times);

/* Raises the limit on open descriptors to at least that; the program ends where it may not. */
void allow_descriptors(long least);

/* Starts a server on a free port of 127.0.0.1, in threads of this process. To each connection it
 * sends the one byte '!' after `delay_ms`, then closes it. Returns the port. */
int slow_server_start(int delay_ms);

/* The address of that port. */
struct sockaddr_in;
void loopback_address(int port, struct sockaddr_in *address);

#ifdef __cplusplus
}
#endif
#endif
