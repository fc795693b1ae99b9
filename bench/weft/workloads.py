"""The workloads: how many operations of each, and what is aimed at.

A goal is Weft's time over Go's, in the nanoseconds that both had on the machine where the goal was
set: only the ratio carries over to another one."""
import collections

BOTH = (1, 2)


class Workload:
    """`thread_count` 0: threads have no counterpart. `probe`: probe.c has one."""

    def __init__(self, count, thread_count=0, goals=None, workers=BOTH, probe=False):
        self.count = count
        self.thread_count = thread_count
        self.goals = goals or {}
        self.workers = workers
        self.probe = probe


WORKLOADS = {
    # tasks
    "spawn_all": Workload(1_000_000, goals={1: (140, 826)}),
    "spawn_batch": Workload(1_000_000, 10_000, goals={1: (30, 161)}),
    "spawn_one": Workload(1_000_000, 5_000, goals={1: (45, 245)}, probe=True),
    "yield2": Workload(10_000_000, 500_000, goals={1: (15, 35)}),
    "yield10k": Workload(10_000_000, goals={1: (25, 75)}),
    "parked": Workload(1_000_000, goals={1: (1850, 3836)}, probe=True),
    "skynet": Workload(1_000_000, goals={1: (330, 856), 2: (220, 593)}, probe=True),
    # channels
    "pingpong": Workload(1_000_000, 5_000, goals={1: (65, 200)}),
    "pinned": Workload(50_000, 5_000, goals={2: (1000, 64000)}, probe=True),
    "buffered": Workload(10_000_000, 1_000_000, goals={1: (8, 24.5), 2: (20, 26)}, probe=True),
    "select_ready": Workload(2_000_000, goals={1: (48, 148)}),
    "select_default": Workload(10_000_000, goals={1: (6, 35.4)}, probe=True),
    "select_pingpong": Workload(500_000, goals={1: (150, 383)}),
    # time
    "sleepers": Workload(1_000_000, probe=True),
    "timer_reset": Workload(5_000_000, goals={1: (18, 31)}, probe=True),
    "timer_reset10k": Workload(5_000_000, goals={1: (22, 41)}, probe=True),
    "timer_stop": Workload(2_000_000, goals={1: (50, 202)}),
    "timer_func_stop": Workload(2_000_000, goals={1: (30, 85)}, probe=True),
    # locks and meeting points
    "mutex_alone": Workload(20_000_000, 20_000_000, goals={1: (4.2, 4.7)}, probe=True),
    "mutex_two": Workload(10_000_000, 5_000_000, goals={2: (6, 5.6)}),
    "mutex_16": Workload(10_000_000, 2_000_000),
    "mutex_nested": Workload(10_000_000, probe=True),
    "rw_read": Workload(20_000_000, 20_000_000, probe=True),
    "rw_16": Workload(5_000_000, 2_000_000),
    "waitgroup": Workload(20_000_000),
    "cond_turns": Workload(1_000_000, 5_000),
    "sem_alone": Workload(10_000_000, 10_000_000),
    "sem_16": Workload(2_000_000, 200_000),
    "once": Workload(50_000_000, 50_000_000),
    # what tasks share
    "group": Workload(1_000_000),
    "group_limit": Workload(500_000),
    "flight_alone": Workload(2_000_000),
    "flight_16": Workload(1_000_000),
    "pool_alone": Workload(10_000_000),
    "pool_16": Workload(2_000_000),
    "buffers_16": Workload(1_000_000),
    "cmap_read_fixed": Workload(5_000_000),
    "cmap_read_growing": Workload(5_000_000),
    "cmap_write_fixed": Workload(2_000_000),
    "cmap_own_keys": Workload(2_000_000),
    "map_read_fixed": Workload(5_000_000),
    "map_read_growing": Workload(5_000_000),
    "map_write_fixed": Workload(2_000_000),
    "map_own_keys": Workload(2_000_000),
    "defer": Workload(10_000_000, probe=True),
    "defer_loop": Workload(5_000_000),
}

# What a workload may measure beside its time. goal: as above, or over a figure of Go.
Figure = collections.namedtuple("Figure", "name text goal")
FIGURES = [
    Figure("park_ns", "until all are parked", None),
    Figure("asleep_ms", "ms until all sleep", (2000, 5350)),
    Figure("late_ms", "ms late, the last", (500, 1350)),
    Figure("task_bytes", "bytes a task", None),
]

# What recording by Loiter may cost, as a ratio.
LOITER_LIMITS = {
    "spawn_all": 1.5, "spawn_batch": 1.5, "spawn_one": 1.5, "pingpong": 1.5, "select_ready": 1.5,
    "select_default": 1.5, "select_pingpong": 1.5, "buffered": 1.1, "yield2": 1.1, "yield10k": 1.1,
    "timer_reset": 1.1, "timer_reset10k": 1.1, "mutex_alone": 1.1, "mutex_two": 1.1,
    "mutex_16": 1.1, "mutex_nested": 1.1,
}
