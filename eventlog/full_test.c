/*
 * full_test.c - when the room ends: the log's own limit, the limit on file sizes, a full disk, no
 * descriptor, a directory that is gone. Each in a child of its own, which must live on, see no
 * signal, and leave a record that opens and says why it ends.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

static struct el_log the_log;
static char root[64];
static char record_dir[EL_PATH_MOST];
static int told; /* pipe on which a child tells where its record lies */

static int begin(void **state)
{
    (void)state;
    test_dir_make(root);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bool agree = test_babeltrace_agrees(root);
    umount2(root, MNT_DETACH);
    test_dir_remove(root);
    return agree ? 0 : -1;
}

static int open_log(uint64_t max_bytes)
{
    int error = el_log_open(&the_log, &(struct el_options){.root = root, .max_bytes = max_bytes});
    if (write(told, the_log.dir, strlen(the_log.dir) + 1) < 0)
        return -1;
    return error;
}

/* Writes until recording stops; then still more, which must do no harm. */
static int write_until_stopped(unsigned most)
{
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    unsigned after = 0;
    if (slot == NULL)
        return 10;
    for (unsigned i = 0; i < most && after < 200000; i++) {
        el_write_lock_io(slot, &(struct el_lock_io){.actor = i});
        struct el_actor *actor = i % 16 == 0 ? el_alloc_actor(&the_log) : NULL;
        if (actor != NULL)
            el_set_state(&actor->state, EL_ACTOR_NEW);
        after += el_is_stopped(&the_log);
    }
    el_slot_acquire(&the_log, 2);
    el_log_end(&the_log);
    return el_is_stopped(&the_log) ? 0 : 11;
}

/* Runs `body` in a child; its exit status must be 0. */
static void in_child(int (*body)(void))
{
    int pipes[2], status;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        told = pipes[1];
        _exit(body());
    }
    close(pipes[1]);
    ssize_t n = read(pipes[0], record_dir, sizeof(record_dir) - 1);
    record_dir[n > 0 ? n : 0] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void expect_stopped(enum el_stop_reason reason)
{
    struct test_counts counts = test_count(record_dir);
    assert_int_equal(counts.error, EL_READ_OK);
    assert_int_equal(counts.damage, 0);
    assert_int_equal(counts.summary.state, EL_RECORD_STOPPED);
    assert_int_equal(counts.summary.stop_reason, reason);
    assert_true(counts.by_id[EL_ID_lock_io] > 0);
    assert_true(counts.summary.lost_full > 0);
    assert_true(counts.summary.lost_cells > 0);
}

static uint64_t bytes_below(const char *dir)
{
    char command[EL_PATH_MOST + 32], line[64] = "";
    snprintf(command, sizeof(command), "du -sB1 %s", dir);
    FILE *du = popen(command, "r");
    assert_non_null(du);
    assert_non_null(fgets(line, sizeof(line), du));
    pclose(du);
    return strtoull(line, NULL, 10);
}

static int own_limit(void)
{
    return open_log(1 << 20) != 0 ? 1 : write_until_stopped(1000000);
}

static void the_logs_limit_is_kept(void **state)
{
    (void)state;
    in_child(own_limit);
    expect_stopped(EL_STOP_LOG_SIZE);
    /* A page for the directory itself. */
    assert_in_range(bytes_below(record_dir), 1 << 19, (1 << 20) + 4096);
}

static int file_size_limit(void)
{
    struct rlimit limit = {100000, 100000};
    signal(SIGXFSZ, SIG_DFL);
    return setrlimit(RLIMIT_FSIZE, &limit) != 0 || open_log(0) != 0 ? 1
                                                                    : write_until_stopped(100000);
}

static void a_limit_on_file_sizes(void **state)
{
    (void)state;
    in_child(file_size_limit);
    expect_stopped(EL_STOP_FILE_SIZE);
    assert_int_equal(test_count(record_dir).by_id[EL_ID_stopped], 1);
}

static int no_file_at_all(void)
{
    struct rlimit limit = {0, 0};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || open_log(0) >= 0 || !el_is_stopped(&the_log))
        return 1;
    if (el_slot_acquire(&the_log, 1) != NULL || el_alloc_actor(&the_log) != NULL)
        return 2;
    el_log_end(&the_log);
    return the_log.summary->lost_cells == 1 && the_log.stop == EL_STOP_FILE_SIZE ? 0 : 3;
}

static void not_even_a_first_file(void **state)
{
    (void)state;
    in_child(no_file_at_all);
    assert_int_not_equal(test_count(record_dir).error, EL_READ_OK);
}

static int full_disk(void)
{
    return open_log(0) != 0 ? 1 : write_until_stopped(1000000);
}

/* Mounted in a namespace of this process alone. */
static void mount_small(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", root, "tmpfs", 0, "size=600k") != 0)
        skip();
}

static void a_full_disk(void **state)
{
    (void)state;
    mount_small();
    in_child(full_disk);
    expect_stopped(EL_STOP_DISK_FULL);
}

static struct rlimit some; /* descriptors, as it was */

/* The slot of an open log, from where on no descriptor is to be had. */
static struct el_slot *slot_without_descriptors(void)
{
    struct rlimit none = {0, 0};
    getrlimit(RLIMIT_NOFILE, &some);
    none.rlim_max = some.rlim_max;
    struct el_slot *slot = open_log(0) != 0 ? NULL : el_slot_acquire(&the_log, 1);
    setrlimit(RLIMIT_NOFILE, &none);
    return slot;
}

static int no_descriptors(void)
{
    struct el_slot *slot = slot_without_descriptors();
    if (slot == NULL || el_slot_acquire(&the_log, 2) != NULL)
        return 1;
    for (int i = 0; i < 3000; i++) {
        if (!el_write_lock_io(slot, &(struct el_lock_io){.actor = 1}))
            return 5;
    }
    for (int i = 0; i < 1000; i++) {
        if (el_alloc_timer(&the_log) != NULL)
            return 2;
    }
    if (el_is_stopped(&the_log))
        return 3;
    /* It passes: recording goes on. */
    setrlimit(RLIMIT_NOFILE, &some);
    return el_write_lock_io(slot, &(struct el_lock_io){.actor = 2}) &&
                   el_alloc_timer(&the_log) != NULL
               ? 0
               : 4;
}

static void no_descriptor_is_free_for_a_while(void **state)
{
    (void)state;
    in_child(no_descriptors);
    struct test_counts counts = test_count(record_dir);
    assert_int_equal(counts.damage, 0);
    assert_int_equal(counts.lost, 0);
    assert_int_equal(counts.by_id[EL_ID_lock_io], 3001);
    assert_int_equal(counts.summary.lost_cells, 1000);
}

static int full_without_descriptors(void)
{
    struct el_slot *slot = slot_without_descriptors();
    for (int i = 0; slot != NULL && the_log.summary->lost_full < 100 && i < 1000000; i++)
        el_write_lock_io(slot, &(struct el_lock_io){.actor = 1});
    if (slot == NULL || el_is_stopped(&the_log) || the_log.summary->lost_full != 100)
        return 1;
    setrlimit(RLIMIT_NOFILE, &some);
    return 0;
}

static void no_descriptor_and_no_room(void **state)
{
    (void)state;
    mount_small();
    in_child(full_without_descriptors);
    struct test_counts counts = test_count(record_dir);
    assert_int_equal(counts.damage, 0);
    assert_int_equal(counts.lost, 100);
    assert_true(counts.by_id[EL_ID_lock_io] > 500);
}

/* What has the file's name by then is somebody else's. */
static int another_file(void)
{
    char moved[EL_PATH_MOST + 8], path[EL_PATH_MOST + 16];
    struct stat st = {0};
    struct el_slot *slot = slot_without_descriptors();
    snprintf(moved, sizeof(moved), "%s-moved", the_log.dir);
    snprintf(path, sizeof(path), "%s/events-0", the_log.dir);
    if (slot == NULL || rename(the_log.dir, moved) != 0 || mkdir(the_log.dir, 0700) != 0)
        return 1;
    setrlimit(RLIMIT_NOFILE, &some);
    const int fd = open(path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0 || write(fd, "other", 5) != 5)
        return 2;
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, some.rlim_max});
    while (el_write_lock_io(slot, &(struct el_lock_io){.actor = 1}))
        ;
    setrlimit(RLIMIT_NOFILE, &some);
    if (stat(path, &st) != 0 || st.st_size != 5)
        return 3;
    return unlink(path) != 0 || rmdir(the_log.dir) != 0 ? 4 : rename(moved, the_log.dir);
}

static void no_descriptor_and_another_file(void **state)
{
    (void)state;
    in_child(another_file);
    struct test_counts counts = test_count(record_dir);
    assert_int_equal(counts.damage, 0);
    assert_int_equal(counts.lost, 1);
}

static int gone_directory(void)
{
    char moved[EL_PATH_MOST + 8];
    if (open_log(0) != 0)
        return 1;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    el_write_lock_io(slot, &(struct el_lock_io){.actor = 1});
    snprintf(moved, sizeof(moved), "%s-moved", the_log.dir);
    if (slot == NULL || rename(the_log.dir, moved) != 0)
        return 2;
    for (int i = 0; i < 1000; i++)
        el_write_lock_io(slot, &(struct el_lock_io){.actor = 1});
    el_alloc_timer(&the_log);
    el_log_end(&the_log);
    return rename(moved, the_log.dir);
}

static void the_directory_is_gone(void **state)
{
    (void)state;
    in_child(gone_directory);
    expect_stopped(EL_STOP_DIRECTORY);
}

static int another_user(void)
{
    if (open_log(0) != 0)
        return 1;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    if (slot == NULL || el_alloc_actor(&the_log) == NULL)
        return 2;
    /* The way to it is closed to others: root is 0700. */
    if (el_log_chown(&the_log, 65534, 65534) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
        return 3;
    for (uint32_t i = 0; i < 1000; i++) {
        if (!el_write_lock_io(slot, &(struct el_lock_io){.actor = 1}) ||
            el_alloc_actor(&the_log) == NULL)
            return 4;
    }
    /* Nor does it trust the number it kept: the program may do with it what it wants. */
    dup2(0, the_log.kept_dir - 1);
    for (uint32_t i = 0; i < 1000; i++)
        el_write_lock_io(slot, &(struct el_lock_io){.actor = 1});
    return the_log.stop == EL_STOP_DIRECTORY ? 0 : 5;
}

static void recording_goes_on_as_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(another_user);
    struct test_counts counts = test_count(record_dir);
    assert_int_equal(counts.by_id[EL_ID_lock_io] + counts.lost, 2000);
    assert_in_range(counts.by_id[EL_ID_lock_io], 1000, 1999);
    assert_int_equal(counts.by_id[EL_ID_actor], 1001);
    assert_int_equal(counts.summary.stop_reason, EL_STOP_DIRECTORY);
    assert_int_equal(counts.damage, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_logs_limit_is_kept),
        TEST(a_limit_on_file_sizes),
        TEST(not_even_a_first_file),
        TEST(no_descriptor_is_free_for_a_while),
        TEST(no_descriptor_and_no_room),
        TEST(no_descriptor_and_another_file),
        TEST(the_directory_is_gone),
        TEST(recording_goes_on_as_another_user),
        TEST(a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
