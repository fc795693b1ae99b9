/*
 * exit_codes.h - what the command's exit status means. The manual pages give the same list.
 */
#ifndef EXIT_CODES_H
#define EXIT_CODES_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FINDINGS = 1,      /* analyze, baseline check: something fails */
    EXIT_CODE_USAGE = 2,         /* a mistake in the call, or an internal error */
    EXIT_CODE_INCOMPLETE = 3,    /* the record is incomplete, or the program cannot be recorded */
    EXIT_CODE_RUN_FINDINGS = 23, /* run: something fails; --error-exitcode */
    EXIT_CODE_HUNG = 124,        /* run, record: --timeout ended it, and nothing fails */
    EXIT_CODE_NOT_EXECUTABLE = 126,
    EXIT_CODE_NOT_FOUND = 127,
    EXIT_CODE_SIGNAL = 128 /* plus the number of the signal that ended the program */
};

#endif
