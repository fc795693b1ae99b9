/*
 * loiter_fiber.hpp - Boost.Fiber, which knows nothing of Loiter, tells it of its fibers.
 *
 * Boost.Fiber lets a program choose the algorithm that schedules a thread's fibers, and tells that
 * algorithm when a fiber is made, can run, and runs: what a runtime has to announce. What it does
 * not tell is where in the program a fiber was made, what its stack is and what it waits for: for
 * these there are loiter::fiber and loiter::channel. One thread, whose main function is a fiber to
 * Boost and the thread itself to Loiter.
 */
#ifndef LOITER_FIBER_HPP
#define LOITER_FIBER_HPP

#include <atomic>
#include <utility>

#include <boost/fiber/all.hpp>
#include <loiter.h>

namespace loiter {

/* What the next fiber of this thread is told with: set by who makes it. */
struct birth {
    const void *caller = nullptr;
    const char *lo = nullptr, *hi = nullptr;
};
inline thread_local birth next_birth;

/* What the running fiber waits for if it pauses now. */
struct reason {
    loiter_wait why = LOITER_WAIT_OTHER;
    const void *object = nullptr;
    const void *caller = nullptr;
};
inline thread_local reason next_wait;

/* The runtime's record of a fiber. It dies with the fiber, on the thread that ran it. */
class record : public boost::fibers::fiber_properties {
public:
    explicit record(boost::fibers::context *context) : fiber_properties(context)
    {
        static std::atomic<uint64_t> last;
        task.id = ++last;
    }
    ~record() override
    {
        if (is_task)
            LOITER_CALL(loiter_task_exit, (&task));
    }

    loiter_task task{};
    bool is_task = false, parked = false, can_run = false;
};

/* Boost's round robin, and what it does is told. */
class algorithm : public boost::fibers::algo::algorithm_with_properties<record> {
public:
    algorithm()
    {
        LOITER_CALL(loiter_run_begin, ("boost.fiber", 1));
    }
    ~algorithm() override
    {
        LOITER_CALL(loiter_run_end, ());
    }

    void awakened(boost::fibers::context *context, record &of) noexcept override
    {
        if (!context->is_context(boost::fibers::type::pinned_context))
            tell(of);
        of.can_run = true;
        robin.awakened(context);
    }

    /* Who ran last goes on if it can run; else it waits, or has ended. */
    boost::fibers::context *pick_next() noexcept override
    {
        const reason wait = std::exchange(next_wait, {});
        if (running != nullptr && !running->can_run) {
            const void *const objects[] = {wait.object};
            LOITER_CALL(loiter_task_park, (&running->task, wait.why, objects,
                                           wait.object != nullptr, 0, wait.caller));
            running->parked = true;
        }
        boost::fibers::context *next = robin.pick_next();
        running = nullptr;
        if (next != nullptr && !next->is_context(boost::fibers::type::pinned_context)) {
            running = &properties(next);
            running->can_run = false;
        }
        LOITER_CALL(loiter_task_switch, (running == nullptr ? nullptr : &running->task));
        return next;
    }

    bool has_ready_fibers() const noexcept override
    {
        return robin.has_ready_fibers();
    }
    void suspend_until(const std::chrono::steady_clock::time_point &when) noexcept override
    {
        robin.suspend_until(when);
    }
    void notify() noexcept override
    {
        robin.notify();
    }

private:
    /* One that is seen for the first time was just made, by who runs now. */
    void tell(record &of)
    {
        if (!of.is_task) {
            const birth b = next_birth;
            of.is_task = true;
            LOITER_CALL(loiter_task_created, (&of.task, nullptr, size_t(b.hi - b.lo), 0, b.caller,
                                              nullptr));
            if (b.lo != nullptr)
                LOITER_CALL(loiter_task_stack, (&of.task, b.lo, b.hi));
        } else if (of.parked) {
            of.parked = false;
            LOITER_CALL(loiter_task_ready, (&of.task, nullptr));
        }
    }

    boost::fibers::algo::round_robin robin;
    record *running = nullptr;
};
/* Stacks as Boost makes them, whose bounds are told. */
class stack {
public:
    boost::context::stack_context allocate()
    {
        boost::context::stack_context made = memory.allocate();
        next_birth.hi = static_cast<char *>(made.sp);
        next_birth.lo = next_birth.hi - made.size;
        return made;
    }
    void deallocate(boost::context::stack_context &made) noexcept
    {
        memory.deallocate(made);
    }

private:
    boost::fibers::fixedsize_stack memory;
};

/* A fiber like any other. Not inlined: who called it is where the program makes the fiber. */
template <class Function>
__attribute__((noinline)) boost::fibers::fiber fiber(Function &&function)
{
    next_birth = {};
    next_birth.caller = __builtin_return_address(0);
    return boost::fibers::fiber(std::allocator_arg, stack{}, std::forward<Function>(function));
}

/* A buffered channel. It tells what it is, and what those wait for who use it. */
template <class T> class channel {
public:
    __attribute__((noinline)) explicit channel(size_t capacity) : items(capacity)
    {
        LOITER_CALL(loiter_object_created,
                    (LOITER_OBJ_CHAN, this, capacity, __builtin_return_address(0)));
    }
    ~channel()
    {
        LOITER_CALL(loiter_object_destroyed, (LOITER_OBJ_CHAN, this, 0));
    }
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;

    __attribute__((noinline)) boost::fibers::channel_op_status push(const T &item)
    {
        next_wait = {LOITER_WAIT_SEND, this, __builtin_return_address(0)};
        const auto done = items.push(item);
        next_wait = {};
        return done;
    }
    __attribute__((noinline)) boost::fibers::channel_op_status pop(T &item)
    {
        next_wait = {LOITER_WAIT_RECV, this, __builtin_return_address(0)};
        const auto done = items.pop(item);
        next_wait = {};
        return done;
    }

private:
    boost::fibers::buffered_channel<T> items;
};
} // namespace loiter
#endif
