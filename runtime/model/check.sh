#!/bin/bash
# check.sh DIR - explores the interleavings of the lock-free parts (see explore.h), in DIR; then breaks
# the code in known ways: each must be found, or the models check nothing.
#
# A mutation is a perl expression that must change its file; the scenario has to fail then.
set -uo pipefail
dir=$(realpath -m "$1")
cd "$(dirname "$0")/../.." || exit 2
mkdir -p "$dir"
rm -f "$dir/failed"

fail() {
    echo "$*"
    touch "$dir/failed"
}

# build DIR MODEL [FLAGS]: against DIR's copies first, with a small ring
build() {
    local at=$1 model=$2
    shift 2
    mkdir -p "$at/runtime/sched"
    [[ -e $at/runtime/sched/task.h ]] || cp runtime/sched/task.h "$at/runtime/sched/"
    sed -i 's/WEFT_RING_SIZE = 256/WEFT_RING_SIZE = 4/' "$at/runtime/sched/task.h"
    "${CC:-gcc}" -std=gnu17 -O1 -g -D_GNU_SOURCE "-I$at" -I. -Iruntime/include -Ipreload/include \
        -w -fno-strict-aliasing "$@" "runtime/model/$model.c" -o "$at/$model" -pthread
}

explore() { # MODEL SECONDS, for each of its scenarios
    rm -rf "${dir:?}/$1"
    build "$dir/$1" "$1" || { fail "$1: does not build" && return; }
    "$dir/$1/$1" "$2" >"$dir/$1/out" || fail "$1: FAILED"
    tail -n 130 "$dir/$1/out"
}

mutate() { # NAME MODEL SCENARIO FILE EXPRESSION; or - FLAG
    local at=$dir/$1 found flags=()
    rm -rf "$at"
    mkdir -p "$at/$(dirname "$4")"
    if [[ $4 == - ]]; then
        flags=("$5")
    else
        perl -0pe "$5" "$4" >"$at/$4"
        cmp -s "$4" "$at/$4" && fail "mutation $1: does not apply to $4" && return
    fi
    build "$at" "$2" ${flags[@]+"${flags[@]}"} || { fail "mutation $1: does not build" && return; }
    if { "$at/$2" "$seconds" "$3" >"$at/out" 2>&1; } 2>/dev/null; then
        fail "mutation $1: $2 does not find it in $3"
    else
        found=$(tail -n 1 "$at/out")
        echo "mutation $1: found: ${found:-it crashes}"
    fi
}

# Two at a time.
also() {
    "$@" &
    [[ $(jobs -rp | wc -l) -lt 2 ]] || wait -n
}

also explore queue 1
also explore idle 1
also explore select 1
also explore rwmutex 1
also explore timed 1
also explore solo 1
also explore close 1

seconds=20
ring=runtime/sched/ring.h queue=runtime/sched/queue.c idle=runtime/sched/idle.c
also mutate pop-without-swap queue owner_and_thieves $ring \
    's/\} while \(!__atomic_compare_exchange_n\(&w->head.*?\)\);/__atomic_store_n(&w->head, head + 1, __ATOMIC_RELEASE); } while (0);/s'
also mutate tail-before-slot queue owner_and_thieves $ring 's/( *__atomic_store_n\(&w->ring.*?;\n)( *__atomic_store_n\(&w->tail.*?;\n)/$2$1/s'
also mutate ring-one-too-full queue full_ring $ring 's/tail - head >= WEFT_RING_SIZE/tail - head > WEFT_RING_SIZE/'
also mutate next-taken-twice queue next_slot $ring \
    's/__atomic_compare_exchange_n\(&w->next, &t, NULL.*?\)\)/(__atomic_store_n(&w->next, NULL, __ATOMIC_RELEASE), true))/s'
also mutate shared-without-lock queue shared_queue $queue 's/weft__(un)?lock\(&run->queue_lock\);//g'
also mutate company-not-fenced queue alone $queue 's/(bool weft__share_queue.*?)weft__heavy_fence\(\);/$1/s'
also mutate company-not-waited-for queue alone $queue 's/return !__atomic_load_n\(&w->popping, __ATOMIC_ACQUIRE\)/return true/'

solo=runtime/sched/solo.c
also mutate shared-unfenced solo one_comes $solo 's/    weft__heavy_fence\(\);\n//'
also mutate shared-unawaited solo one_comes $solo 's/while \(__atomic_load_n\(&weft__solo.inside.*?yield\(\);//s'
also mutate shared-at-once solo two_come $solo 's/(static void stop.*?)WEFT__SOLO_NOBODY/$1WEFT__SOLO_SHARED/s'
also mutate bracket-without-a-look solo one_comes runtime/sched/solo.h 's/__atomic_load_n\(&weft__solo.who, __ATOMIC_RELAXED\) == who, 1/true, 1/'

also mutate sleep-without-a-look idle from_outside $idle 's/!weft__work_in_sight\(run\) && //'
also mutate sleep-not-fenced idle computes_meanwhile $idle 's/weft__heavy_fence\(\);//'
also mutate spinner-relied-on idle two_compute $idle 's/    weft__full_fence\(\);\n//'
also mutate look-takes-the-kick idle look_beside_the_poller - -DMUTATION_LOOK_TAKES_KICK
also mutate next-is-no-work idle descriptor runtime/sched/deadlock.c 's/ && !weft__next_in_sight\(run\)//'
also mutate always-woken idle one_by_one $idle 's/\(entry, kind, __ATOMIC/(entry, 0, __ATOMIC/'
also mutate next-not-waited-for idle beside_a_spinner $idle 's/weft__next_in_sight\(run\)/false/'
also mutate kinds-alike idle of_another_kind $idle 's/ != kind\)/ == 0)/'
monitor=runtime/sched/monitor.c
also mutate next-left-alone idle spawned_and_left $monitor 's/__atomic_load_n\(&w->next, __ATOMIC_RELAXED\) \|\| //'
also mutate no-second-look idle spawned_and_left $monitor 's/again = perhaps .*?;/again = false;/'
also mutate relied-for-long idle spawned_and_left $monitor 's/ \? RELIED_MAX_NS : / ? INTERVAL_MAX_NS : /'
also mutate timers-looked-at-once idle timers $idle 's/if \(again < until\)/if (0)/'
also mutate cancel-without-lock idle cancel_against_fire runtime/time/timers.c \
    's/(bool weft__timer_cancel.*?)weft__timer_lock\(timer\);(.*?)weft__unlock\(&timer->home->lock\);/$1$2/s'

sched=runtime/sched/sched.h select=runtime/chan/select.c chan=runtime/chan/chan.h
also mutate winner-without-swap select two_senders $sched \
    's/(bool weft__win.*?)return __atomic_compare.*?;/$1 if (__atomic_load_n(&t->won, __ATOMIC_ACQUIRE) != open) { return false; } __atomic_store_n(&t->won, who, __ATOMIC_RELEASE); return true;/s'
also mutate two-winners select two_senders runtime/chan/waitq.h 's/w->who == 0 \|\| weft__win\(w->task, w->who\)/true/'
also mutate not-of-one-moment select one_moment $select 's/return \(uint32_t\)stamps == 0 && stamps == seen->stamps/return true/'
also mutate version-stands-still select one_moment $chan 's/c->version \+ 1/c->version/'
also mutate waiters-left-unlocked select two_senders $select \
    's/(static void dequeue.*?)weft__chan_lock\(it->chan\);(.*?)weft__unlock\(&it->chan->lock\);/$1$2/s'
also mutate locks-in-any-order select locks_crossed $select 's/sort\(w->order, live\);//'

rwmutex=runtime/sync/rwmutex.c
also mutate hand-over-not-told rwmutex starving_writers $rwmutex 's/w->passed = true;//'
also mutate nobody-is-asked rwmutex two_readers $rwmutex 's/\(state - 1\) \| ask/state - 1/'
also mutate comes-for-ever rwmutex again $rwmutex 's/rw->woken = 0;//'
also mutate counted-in-the-queue rwmutex two_readers $rwmutex 's/\(state - 1\) \| ask/state | ask/'
also mutate permits-forgotten rwmutex two_readers $rwmutex 's/rw->permits \+= __atomic/__atomic/'
also mutate rest-of-the-readers-forgotten rwmutex row_of_readers $rwmutex 's/again \? companions\(rw\)/0 ? companions(rw)/'
also mutate writer-behind-readers-forgotten rwmutex reader_and_writer $rwmutex 's/reader = first_of\(&rw->read_waiters\)/reader = true/'
also mutate reader-past-the-writer rwmutex two_readers $rwmutex 's/if \(!\(before & WRITER\)\)/if (1)/'

use=runtime/io/use.c
also mutate last-does-not-close close stalled $use 's/(void weft__use_last.*?\{)/$1 return;/s'
also mutate closed-by-all close stalled $use \
    's/__atomic_compare_exchange_n\(&state->users, &users, users - WEFT__USE_CLOSING, false,\s*__ATOMIC_ACQ_REL, __ATOMIC_RELAXED\)/(__atomic_fetch_and(\&state->users, ~WEFT__USE_CLOSING, __ATOMIC_ACQ_REL), true)/'
also mutate closed-beside-a-call close woken $use 's/\(users & WEFT__USE_COUNT\) == 1/true/; s/users - 1 - WEFT__USE_CLOSING/0/'
also mutate two-closes-at-once close two_closes $use 's/        if \(users & WEFT__USE_CLOSING\)\n            return false;//'
also mutate nobody-evicted close reused $use 's/(void weft__use_evict.*?\{)/$1 return;/s'
also mutate stall-waited-for close stalled $use 's/(void weft__use_stall.*?\{)/$1 return;/s'
also mutate run-forgotten close run_ends $use 's/(bool weft__use_abandon.*?\{)/$1 return false;/s'
also mutate late-call-counted close run_ends runtime/io/use.h 's/        if \(__builtin_expect\(\*users \/ WEFT__USE_RUN != use->run, 0\)\)\n            return false;//'
also mutate close-after-the-run close run_ends_beside_a_close $use 's/        if \(users \/ WEFT__USE_RUN != use->run\)\n            return 0;.*?\n//'
also mutate run-is-the-same close run_ends_beside_a_close $use 's/\(users \/ WEFT__USE_RUN \+ 1\) \* WEFT__USE_RUN/(users \/ WEFT__USE_RUN) * WEFT__USE_RUN/'
also mutate left-calls-kept close run_ends_beside_a_close $use 's/if \(\(users & \(WEFT__USE_CLOSING \| WEFT__USE_COUNT\)\) == 0\)/if (!(users & WEFT__USE_CLOSING))/'

timers=runtime/time/timers.c
seconds=8 # chance finds these sooner
also mutate stack-read-too-late timed a_timed_sleep $select 's/if \(live\)/(void)live;/'
also mutate time-wins-unasked timed time_against_sender $select 's/if \(weft__win\(w->task, BY_TIME\)\)/weft__win(w->task, BY_TIME);/'
also mutate time-stays-armed timed wait_after_wait $select 's/weft__wait_disarm\(w->task, &w->timer\);/(void)0;/'
also mutate armed-too-late timed time_against_close $select \
    's/(    if \(!weft__wait_arm.*?\n.*?\n)(.*?)(\n\})/    if (live) unlock_all(w);\n$1$3/s'
also mutate fired-without-lock timed time_against_sender $timers \
    's/( +)timer->fire\(timer, now\);/$1weft__unlock(&home->lock);\n$1__atomic_load_n(&home->next, __ATOMIC_RELAXED);\n$1timer->fire(timer, now);\n$1weft__lock(&home->lock);/'
also mutate fired-too-early timed two_limits $timers \
    's/first_key\(home\) <= now; i\+\+/i < home->heap.count; i++/; s/timer->when > now/0/'
also mutate loser-left-queued timed time_against_sender $select 's/if \(w->waiters\[i\].queued\)/if (won != BY_TIME \&\& w->waiters[i].queued)/'
wait
[[ ! -e $dir/failed ]]
