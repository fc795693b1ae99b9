#!/bin/sh
# announcements.sh COUNTER PROGRAM...: each program, run with the counter preloaded, announces what it
# does, in the right order; run without it, it says nothing. The programs are linked in several ways.
set -u
counter=$1
shift
failed=0

expect() { # NAME VALUE
    got=$(echo "$out" | sed -n "s/^$1=//p")
    if [ "$got" != "$2" ]; then
        echo "$program: $1 is '$got', not $2"
        failed=1
    fi
}

at_least() { # NAME VALUE
    got=$(echo "$out" | sed -n "s/^$1=//p")
    if [ "${got:-0}" -lt "$2" ]; then
        echo "$program: $1 is '$got', less than $2"
        failed=1
    fi
}

for program in "$@"; do
    out=$("$program" 2>&1) || failed=1
    [ -z "$out" ] || { echo "$program: says '$out' by itself"; failed=1; }
    out=$(LD_PRELOAD=$counter "$program" 2>&1) || failed=1
    expect run_begin 1
    expect run_end 1
    expect worker_begin 4
    expect task_created 11
    expect task_exit 11
    expect task_stack 13 # one moves for a blocking call, and back
    at_least task_switch 22
    at_least task_park 4
    at_least task_ready 4
    expect object_created 2
    expect object_closed 2
    expect object_destroyed 2
    expect lock_acquired 3
    expect lock_released 3
    expect timer_armed 2
    expect timer_stopped 1
    expect timer_fired 1
    expect timer_destroyed 1
    expect bad_order 0
    expect no_caller 0
done
exit $failed
