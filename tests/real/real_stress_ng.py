"""stress-ng's pthread, mutex, timer and fork stressors, bounded by operations."""

import harness

# The stressor makes 300 threads for a moment each, which is what it is for.
KNOWN_TRUE = {("thread-churn", None)}

# The mutex stressor calls it a failure when its first thread, of real-time priority, has done all
# before its maker runs on: so there is much to do.
STRESSORS = {
    "pthread": ["--pthread", "1", "--pthread-ops", "300", "--pthread-max", "32"],
    "mutex": ["--mutex", "1", "--mutex-ops", "200000", "--mutex-procs", "4"],
    "timer": ["--timer", "1", "--timer-ops", "2000", "--timer-freq", "20000"],
    "fork": ["--fork", "1", "--fork-ops", "50"],
}


def run(work, launch):
    results = {}
    for name, options in STRESSORS.items():
        done = launch.run(["stress-ng", "--temp-path", work, "--timeout", "60", "--oomable"] + options)
        results[name] = (done["status"], harness.numbers_away(done["out"] + done["err"]))
    return results
