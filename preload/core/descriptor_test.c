/* descriptor_test.c - open descriptors: closed late, closed unseen, left open at the end. */
#include "preload/core/descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "preload/core/made_record.h"
#include "preload/core/race.h"

/* Numbers that the kernel has not given out; the table does not ask it before the end. */
#define FAKE 6000

static volatile int sink;

__attribute__((noinline)) static void open_one(int fd)
{
    pl_descriptor_opened(fd, EL_FD_FILE, PL_CALL());
    sink++;
}

__attribute__((noinline)) static void open_other(int fd)
{
    pl_descriptor_opened(fd, EL_FD_FILE, PL_CALL());
    sink += 2;
}

__attribute__((noinline)) static void open_kind(int fd, enum el_fd_kind kind)
{
    pl_descriptor_opened(fd, kind, PL_CALL());
    sink += 3;
}

__attribute__((noinline)) static void open_range(int first, int n)
{
    for (volatile int i = 0; i < n; i++)
        open_one(first + i);
}

static const struct el_outcome *place_of(int fd)
{
    assert_non_null(pl_descriptors[fd].place);
    return pl_descriptors[fd].place->cell;
}

/* A place of its own for each test: the call here is another than in the others. */
#define OPEN_HERE(first, n)                                                                        \
    do {                                                                                           \
        open_range(first, n);                                                                      \
        sink++;                                                                                    \
    } while (0)

static void those_that_waited_for_their_close_are_told(void **state)
{
    (void)state;
    OPEN_HERE(FAKE, 40);
    const struct el_outcome *cell = place_of(FAKE);
    assert_ptr_equal(place_of(FAKE + 39), cell);
    for (int i = 0; i < 20; i++)
        pl_descriptor_used(FAKE + i); /* all are as fresh as the last one: none is idle yet */
    for (int i = 0; i < 40; i++)
        pl_descriptor_closing(FAKE + i, 10);
    assert_int_equal(cell->made, 40);
    assert_int_equal(cell->gone, 40);
    assert_int_equal(cell->peak, 40);
    assert_int_equal(cell->bytes, 400);
    /* Of the 20 that nobody used, those after which 16 more were opened. */
    assert_int_equal(cell->lost, 40 - 16 - 20);
    assert_int_equal(cell->items, 0);
    assert_int_equal(cell->sweep, 4);
}

/* Used again and again, and each time after others were opened. */
static void each_use_counts(void **state)
{
    (void)state;
    for (int i = 0; i < 80; i += 8) {
        OPEN_HERE(FAKE + 1, 8);
        pl_descriptors_closed(FAKE + 1, FAKE + 8);
    }
    for (int round = 0; round < 10; round++) {
        OPEN_HERE(FAKE + round, 8);
        const struct pl_descriptor *d = &pl_descriptors[FAKE];
        for (int i = 0; i < 3; i++) {
            pl_descriptor_used(FAKE);
            assert_int_equal(d->used, place_of(FAKE)->made);
            assert_int_equal(d->flags & EL_FD_USED, EL_FD_USED);
        }
    }
    pl_descriptors_closed(FAKE, FAKE + 17);
}

static void one_that_is_used_or_watched_does_not_wait(void **state)
{
    (void)state;
    OPEN_HERE(FAKE, 1);
    const struct el_outcome *cell = place_of(FAKE);
    pl_descriptor_used(FAKE);
    OPEN_HERE(FAKE + 1, 1);
    for (int i = 2; i < 20; i++)
        open_other(FAKE + i);
    pl_descriptor_closing(FAKE, 0);
    assert_int_equal(cell->lost, 0); /* the others are of another place */
    pl_descriptors_closed(FAKE, FAKE + 19);
    assert_null(pl_descriptors[FAKE + 1].place);

    OPEN_HERE(FAKE, 32);
    cell = place_of(FAKE);
    pl_descriptor_watched(FAKE, 1);
    pl_descriptor_watched(FAKE + 1, 1);
    pl_descriptor_watched(FAKE + 1, 0);
    pl_descriptor_closing(FAKE, 0);
    assert_int_equal(cell->lost, 0);
    pl_descriptor_closing(FAKE + 1, 0);
    assert_int_equal(cell->lost, 1);
    pl_descriptors_closed(FAKE, FAKE + 31);
    assert_int_equal(cell->gone, 32);
    assert_int_equal(cell->lost, 1); /* closed by number, for whatever reason */
}

static void a_number_that_comes_again_was_closed_unseen(void **state)
{
    (void)state;
    OPEN_HERE(FAKE, 1);
    const struct el_outcome *cell = place_of(FAKE);
    open_other(FAKE);
    assert_int_equal(cell->gone, 1);
    assert_ptr_not_equal(place_of(FAKE), cell);
    pl_descriptor_closing(FAKE, 0);
    pl_descriptor_closing(FAKE, 0);
    assert_null(pl_descriptors[FAKE].place);
    assert_int_equal(cell->gone, 1);
    open_one(-1);
    open_one(2);
    open_one(PL_DESCRIPTORS);
    assert_null(pl_descriptors[2].place);
}

static int fd_left;

static int is_fd_left(const union el_any *any)
{
    return any->descriptor.fd == (uint32_t)fd_left;
}

/* The kernel is asked what is open. */
static void what_is_open_at_the_end_has_a_cell(void **state)
{
    struct el_record record;
    (void)state;
    fd_left = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_in_range(fd_left, 3, FAKE - 1);
    open_one(fd_left);
    open_other(FAKE);
    pl_descriptor_used(fd_left);
    pl_descriptors_at_end();
    assert_true(made_find(EL_ID_descriptor, is_fd_left, 0, &record));
    const struct el_descriptor *cell = &record.any.descriptor;
    assert_true(cell->kind == EL_FD_FILE && cell->flags == EL_FD_USED && cell->idle == 0);
    assert_true(cell->opener == pl_self()->actor->id && cell->stack != 0);
    fd_left = FAKE;
    assert_false(made_find(EL_ID_descriptor, is_fd_left, 0, &record));
}

static uint32_t flags_at_end(int fd)
{
    struct el_record record;
    fd_left = fd;
    assert_true(made_find(EL_ID_descriptor, is_fd_left, 0, &record));
    return record.any.descriptor.flags;
}

/* Three pipes: one as it is, of one the writer is closed, of one the reader; two timers. */
static void what_nothing_more_comes_of_is_said(void **state)
{
    (void)state;
    const struct itimerspec hour = {.it_value = {.tv_sec = 3600}};
    int whole[2], read_end[2], write_end[2];
    int unset = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int set = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    assert_true(pipe(whole) == 0 && pipe(read_end) == 0 && pipe(write_end) == 0);
    close(read_end[1]);
    close(write_end[0]);
    timerfd_settime(set, 0, &hour, NULL);
    open_kind(whole[0], EL_FD_PIPE);
    open_kind(whole[1], EL_FD_PIPE);
    open_kind(read_end[0], EL_FD_PIPE);
    open_kind(write_end[1], EL_FD_PIPE);
    open_kind(unset, EL_FD_TIMER);
    open_kind(set, EL_FD_TIMER);
    pl_descriptors_at_end();
    assert_int_equal(flags_at_end(whole[0]), 0);
    assert_int_equal(flags_at_end(whole[1]), 0);
    assert_int_equal(flags_at_end(read_end[0]), EL_FD_OVER);
    assert_int_equal(flags_at_end(write_end[1]), EL_FD_OVER);
    assert_int_equal(flags_at_end(unset), EL_FD_OVER);
    assert_int_equal(flags_at_end(set), 0);
}

/* Of a connection the other side may have said only that it sends no more. */
static void a_connection_is_over_when_its_peer_is(void **state)
{
    (void)state;
    int whole[2], closed[2], half[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, whole), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, closed), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, half), 0);
    close(closed[1]);
    shutdown(half[1], SHUT_WR);
    open_kind(whole[0], EL_FD_ACCEPTED);
    open_kind(closed[0], EL_FD_ACCEPTED);
    open_kind(half[0], EL_FD_SOCKET);
    pl_descriptors_at_end();
    assert_int_equal(flags_at_end(whole[0]), 0);
    assert_int_equal(flags_at_end(closed[0]), EL_FD_OVER);
    assert_int_equal(flags_at_end(half[0]), EL_FD_OVER);
}

/* One that was closed since is not. */
static void what_a_fork_child_opened_before_is_told(void **state)
{
    (void)state;
    int fds[10];
    for (int i = 0; i < 10; i++)
        assert_true((fds[i] = dup(0)) > 2);
    atomic_store(&pl_gate.stage, PL_SILENT);
    for (int i = 0; i < 8; i++)
        open_one(fds[i]);
    open_one(fds[6]); /* was closed and opened again, here: no further one */
    assert_true(pl_is_silent() && pl_descriptors[fds[0]].place == NULL);
    close(fds[3]);
    atomic_store(&pl_gate.stage, PL_READY);
    struct pl_self *self = pl_enter();
    pl_descriptors_early(self);
    pl_leave(self);
    const struct el_outcome *cell = place_of(fds[0]);
    assert_ptr_equal(place_of(fds[7]), cell);
    assert_int_equal(cell->made, 6);
    assert_int_equal(place_of(fds[6])->made, 1);
    assert_null(pl_descriptors[fds[3]].place);
    for (int i = 0; i < 8; i++)
        pl_descriptor_closing(fds[i], 0);
    assert_int_equal(cell->gone, 6);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_waited_for_their_close_are_told),
        cmocka_unit_test(each_use_counts),
        cmocka_unit_test(one_that_is_used_or_watched_does_not_wait),
        cmocka_unit_test(a_number_that_comes_again_was_closed_unseen),
        cmocka_unit_test(what_is_open_at_the_end_has_a_cell),
        cmocka_unit_test(what_nothing_more_comes_of_is_said),
        cmocka_unit_test(a_connection_is_over_when_its_peer_is),
        cmocka_unit_test(what_a_fork_child_opened_before_is_told),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
