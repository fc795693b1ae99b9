/*
 * session.h - one recorded run of a program: what `run` and `record` share, with the options for
 * it.
 */
#ifndef SESSION_H
#define SESSION_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "analyzer/cli/environment.h"
#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/supervise.h"
#include "analyzer/report/run_info.h"
#include "eventlog/writer.h"

/* The variable that tells the library which process is the program. */
#define SESSION_ROOT "LOITER_ROOT_PID="

struct session_options {
    const char *dir; /* of -o; NULL for the usual name */
    bool force;      /* records in it are replaced */
    bool plain;      /* run it without recording */
    double timeout_s;
    bool no_follow;
    bool jemalloc;         /* serves the program's malloc */
    char *library_options; /* for LOITER_OPTIONS; NULL for none */
    char **argv;           /* the program and its arguments */
};

/* For argp's children; its input is a struct session_options. It does not take the program's words:
 * session_take_program does. */
extern const struct argp session_argp;

/* For ARGP_KEY_ARG: this word and all after it are the program. */
void session_take_program(struct session_options *o, struct argp_state *state);

struct session {
    const struct session_options *options;
    char *path;                /* of the program */
    char *library;             /* to preload */
    char *allocator;           /* to preload behind the library; NULL for the program's own */
    char *runtime;             /* of a sanitizer, to preload before all others; NULL for none */
    char *dir;                 /* of the log, absolute */
    bool held;                 /* signals are, as supervise_hold does */
    sigset_t mask;             /* of before */
    struct log_dir_hold hold;  /* of the directory */
    struct el_tsc_reading tsc; /* when the session began */
    struct environment environment;                  /* of the program */
    char self[SUPERVISE_PID + sizeof(SESSION_ROOT)]; /* in it, with the program's process id */
    struct looker *looker;                           /* while it runs */
    struct run_info info;
    int in_fd, out_fd; /* the caller may set them: for the program's standard input and output */
    /* Set by the caller: judges a program that hangs; may be NULL. run.json is written by then. */
    void (*hung)(void *arg);
    void *arg;
};

/* Everything up to the start. 0, or an exit code: then the reason was said, nothing was started and
 * nothing is left behind. */
int session_begin(struct session *s, const struct session_options *o);
/* Runs the program to its end. 0, or an exit code, likewise. */
int session_run(struct session *s);
void session_end(struct session *s);

/* The exit status that says how the program ended. */
int session_status(const struct session *s);

/* The library to preload, to be freed: $LOITER_LIB, or the one beside this command. NULL, and
 * *error says where it was looked for. */
char *session_library(char **error);
/* The directory of this command, to be freed. */
char *session_command_dir(void);

#endif
