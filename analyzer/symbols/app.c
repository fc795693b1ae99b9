/*
 * app.c - see app.h.
 */
#include "analyzer/symbols/app.h"

#include <stddef.h>
#include <string.h>

#include "analyzer/rules/finding.h"

/* Names of files up to the first of ".so", "-" and a digit or ".": libc.so.6, libc-2.31.so. */
static const char *const system_libraries[] = {
    "ld-linux",
    "ld-linux-x86-64",
    "ld-linux-aarch64",
    "ld64",
    "libc",
    "libpthread",
    "librt",
    "libdl",
    "libm",
    "libanl",
    "libresolv",
    "libgcc_s",
    "libstdc++",
    "libc++",
    "libc++abi",
    "libasan",
    "libtsan",
    "libubsan",
    "liblsan",
    "libunwind",
    "libweft",
    "libloiter",
    "libjemalloc",
    "linux-vdso",
    "linux-gate",
};

/* Sources of language runtimes and standard libraries that are compiled into programs. */
static const char *const system_sources[] = {"/rustc/", "/sysdeps/", "/go/src/runtime/"};

/* Below an include folder, or in its part for one machine (/usr/include/x86_64-linux-gnu/bits). */
static const char *const system_headers[] = {"c++", "bits"};

/* Where a C program begins, in a file that is the program's own. */
static const char *const entry_functions[] = {
    "_start", "_init", "_fini", "__libc_csu_init", "__do_global_dtors_aux", "frame_dummy"};

/* What C++'s and Rust's libraries leave in programs, where no source tells it. */
static const char *const system_names[] = {"std::", "__gnu_cxx::", "__gthread_",
                                           "core::", "alloc::"};

static const char *const weft_folders[] = {"sched", "chan", "time", "sync",
                                           "map",   "ctx",  "io",   "arch"};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool name_is_library(const char *name, const char *library)
{
    size_t n = strlen(library);
    if (strncmp(name, library, n) != 0)
        return false;
    const char *rest = name + n;
    return *rest == '\0' || strncmp(rest, ".so", 3) == 0 ||
           (rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9');
}

static bool system_module(const char *module)
{
    const char *name = base_name(module);
    if (name[0] == '[')
        return true; /* [vdso], [heap]: no file */
    for (size_t i = 0; i < sizeof(system_libraries) / sizeof(system_libraries[0]); i++)
        if (name_is_library(name, system_libraries[i]))
            return true;
    return false;
}

static bool below_any(const char *path, const char *const *folders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) == 0 && path[length] == '/')
            return true;
    }
    return false;
}

static bool weft_source(const char *file)
{
    if (strcmp(base_name(file), "weft.h") == 0)
        return true;
    const char *at = strstr(file, "runtime/");
    for (; at; at = strstr(at + 1, "runtime/"))
        if (below_any(at + strlen("runtime/"), weft_folders,
                      sizeof(weft_folders) / sizeof(weft_folders[0])))
            return true;
    return false;
}

/* `folder` begins with the name of a machine, as x86_64-linux-gnu: what comes after its slash. */
static const char *after_machine(const char *folder)
{
    const char *slash = strchr(folder, '/'), *linux_part = strstr(folder, "-linux-");
    return slash && linux_part && linux_part < slash ? slash + 1 : NULL;
}

static bool system_header(const char *file)
{
    const size_t n = sizeof(system_headers) / sizeof(system_headers[0]);
    const char *at = strstr(file, "/include/");
    for (; at; at = strstr(at + 1, "/include/")) {
        const char *path = at + strlen("/include/"), *machine = after_machine(path);
        if (below_any(path, system_headers, n) ||
            (machine && below_any(machine, system_headers, n)))
            return true;
    }
    return false;
}

static bool contains_any(const char *file, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(file, parts[i]))
            return true;
    return false;
}

static bool begins_with_any(const char *name, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(name, parts[i], strlen(parts[i])) == 0)
            return true;
    return false;
}

static bool file_of_others(const char *file, bool with_weft)
{
    return contains_any(file, system_sources, sizeof(system_sources) / sizeof(system_sources[0])) ||
           system_header(file) || (with_weft && weft_source(file));
}

static bool system_name(const char *name)
{
    return begins_with_any(name, system_names, sizeof(system_names) / sizeof(system_names[0]));
}

/* Rust's "<Type>::method" is its type's; what the program gives a type of the library, "<Type as
 * Trait>::method", is its trait's. */
static bool system_function(const char *function)
{
    const char *trait = strstr(function, " as ");
    if (function[0] != '<')
        return system_name(function);
    return system_name(function + 1) && (!trait || system_name(trait + 4));
}

static bool function_of_others(const char *function, bool with_weft)
{
    return system_function(function) || (with_weft && strncmp(function, "weft_", 5) == 0);
}

bool app_frame(const struct finding_frame *frame, bool with_weft)
{
    if (!frame->module || system_module(frame->module))
        return false;
    if (frame->file ? file_of_others(frame->file, with_weft)
                    : frame->function && function_of_others(frame->function, with_weft))
        return false;
    for (size_t i = 0; i < sizeof(entry_functions) / sizeof(entry_functions[0]); i++)
        if (frame->function && strcmp(frame->function, entry_functions[i]) == 0)
            return false;
    return true;
}

bool app_is_loiter(const char *module)
{
    return module && name_is_library(base_name(module), "libloiter");
}
