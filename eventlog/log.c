/* log.c - opening, stopping, ending and forgetting the record of this process. */
#include <sys/auxv.h>

#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

/* Directories of one process id in one root: a program that replaces itself without end must meet
 * a bound. */
#define IMAGES_MOST 100000u

bool el_budget_take(struct el_log *log, uint64_t bytes)
{
    if (__atomic_add_fetch(&log->used_bytes, bytes, __ATOMIC_RELAXED) <= log->max_bytes)
        return true;
    el_budget_return(log, bytes);
    return false;
}

void el_budget_return(struct el_log *log, uint64_t bytes)
{
    __atomic_sub_fetch(&log->used_bytes, bytes, __ATOMIC_RELAXED);
}

enum el_stop_reason el_stop_reason_of(int error)
{
    switch (-error) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
        return EL_STOP_DISK_FULL;
    case EFBIG:
        return EL_STOP_FILE_SIZE;
    case ENOMEM:
    case EAGAIN:
        return EL_STOP_MEMORY;
    case EMFILE:
    case ENFILE:
    case EINTR:
    case EBADF: /* the program closed it under our hands */
        return EL_STOP_NONE;
    default:
        return EL_STOP_DIRECTORY;
    }
}

void el_stop(struct el_log *log, enum el_stop_reason reason, int error)
{
    uint32_t none = EL_STOP_NONE;
    if (reason == EL_STOP_NONE || !__atomic_compare_exchange_n(&log->stop, &none, reason, false,
                                                               __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    log->stop_error = -error;
    log->summary->heartbeat = el_now(log);
    log->summary->stop_reason = reason;
    el_set_state(&log->summary->state, EL_RECORD_STOPPED);
}

/* log->dir = absolute root, without a slash at the end. */
static int set_root(struct el_log *log, const char *root, struct el_text *text)
{
    *text = (struct el_text){log->dir, log->dir + sizeof(log->dir) - EL_NAME_MOST};
    if (root[0] != '/') {
        long length = el_sys(SYS_getcwd, (long)log->dir, (long)(text->end - text->at), 0, 0, 0, 0);
        if (length < 0)
            return (int)length;
        text->at += length - 1;
        el_text_add(text, "/");
    }
    el_text_add(text, root);
    while (text->at > log->dir + 1 && text->at[-1] == '/')
        text->at--;
    *text->at = '\0';
    return text->at == text->end ? -ENAMETOOLONG : 0;
}

/* Makes <root>/<pid>.<n> and leaves its path in log->dir. */
static int make_dir(struct el_log *log, const char *root)
{
    struct el_text text;
    int error = set_root(log, root, &text);
    if (error == 0)
        error = el_sys_mkdir(log->dir);
    if (error != 0 && error != -EEXIST)
        return error;
    text.end = log->dir + sizeof(log->dir) - 1;
    el_text_add(&text, "/");
    el_text_add_number(&text, el_sys_pid());
    el_text_add(&text, ".");
    for (uint32_t n = 0; n < IMAGES_MOST; n++) {
        struct el_text end = text;
        el_text_add_number(&end, n);
        *end.at = '\0';
        error = el_sys_mkdir(log->dir);
        if (error != -EEXIST)
            break;
    }
    return error;
}

static int open_files(struct el_log *log, const char *root)
{
    int error = make_dir(log, root);
    if (error != 0) {
        log->dir[0] = '\0';
        return error;
    }
    int dir = el_files_dir(log);
    if (dir < 0)
        return dir;
    long bytes = el_metadata_write(log, dir);
    el_sys_close(dir);
    if (bytes < 0)
        return (int)bytes;
    el_budget_take(log, (uint64_t)bytes);
    struct el_summary *summary = el_cells_first(log, &error);
    if (summary == NULL)
        return error;
    log->summary = summary;
    const size_t slots = EL_SLOTS_MOST * sizeof(struct el_slot);
    log->slots = el_sys_map(-1, 0, slots, 0, &error);
    if (log->slots == NULL)
        return error;
    el_sys_small_pages(log->slots, slots);
    return 0;
}

/* The directory says by its name that nobody could write in it: one without files but of that name
 * was left by a process that was killed. A rename takes no descriptor and no room on the disk. */
static void give_up_dir(const struct el_log *log)
{
    char name[EL_PATH_MOST];
    struct el_text text = {name, name + sizeof(name) - 1};
    el_text_add(&text, log->dir);
    el_text_add(&text, EL_DIR_FAILED);
    *text.at = '\0';
    el_sys_rename(AT_FDCWD, log->dir, name);
}

int el_log_open(struct el_log *log, const struct el_options *options)
{
    unsigned long page = getauxval(AT_PAGESZ);
    log->page = page > EL_PACKET_BYTES ? (uint32_t)page : EL_PACKET_BYTES;
    log->max_bytes = options->max_bytes != 0 ? options->max_bytes : EL_MAX_BYTES_PRESET;
    log->summary = &log->no_summary;
    el_sys_random(log->uuid, sizeof(log->uuid));
    el_clock_start(log, options);
    int error = log->page <= EL_PACKET_MOST ? open_files(log, options->root) : -ENOTSUP;
    if (error != 0) {
        enum el_stop_reason reason = el_stop_reason_of(error);
        if (log->dir[0] != '\0' && log->summary == &log->no_summary)
            give_up_dir(log);
        el_stop(log, reason != EL_STOP_NONE ? reason : EL_STOP_DIRECTORY, error);
    } else {
        log->summary->heartbeat = el_now(log);
        el_set_state(&log->summary->state, EL_RECORD_ON);
    }
    log->open = 1;
    return error;
}

void el_log_end(struct el_log *log)
{
    log->summary->heartbeat = el_now(log);
    if (log->stop == EL_STOP_NONE)
        el_set_state(&log->summary->state, EL_RECORD_ENDED);
}

void el_log_forget(struct el_log *log)
{
    el_reach_forget(log);
    for (uint32_t i = 0; log->slots != NULL && i < log->made_slots && i < EL_SLOTS_MOST; i++) {
        if (log->slots[i].window != NULL)
            el_sys_unmap(log->slots[i].window, log->slots[i].window_bytes);
    }
    if (log->slots != NULL)
        el_sys_unmap(log->slots, EL_SLOTS_MOST * sizeof(struct el_slot));
    el_cells_forget(log);
    /* What follows was cleared one by one: most of it was never touched, and stays so. */
    memset(log, 0, offsetof(struct el_log, dir));
    log->dir[0] = '\0';
}
