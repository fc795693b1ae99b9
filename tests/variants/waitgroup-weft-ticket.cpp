// waitgroup-weft-ticket.cpp - a pool that counts its jobs by tickets: whoever holds one is work
// under way. A job takes its ticket when its turn has come, not when it is handed in.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <utility>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // a struct and a function of one name, as in C
#include "test-programs/common/weft_sample.h"
#pragma GCC diagnostic pop

namespace
{

class Ticket
{
  public:
    explicit Ticket(weft_waitgroup &all) : group(&all) { weft_waitgroup_add(group, 1); /* LATE */ }
    Ticket(const Ticket &) = delete;
    ~Ticket() { weft_waitgroup_done(group); }

  private:
    weft_waitgroup *group;
};

class Pool
{
  public:
    Pool() : turns(weft_chan_new(1, 0)) {}
    ~Pool() { weft_chan_release(turns); }
    Pool(const Pool &) = delete;

    void submit(std::function<void()> work)
    {
        if (weft_go(run, new Job{this, std::move(work)}) != 0)
            std::abort();
    }
    void go_on(int count)
    {
        for (char turn = 1; count > 0; count--)
            weft_chan_send(turns, &turn);
    }
    void drain() { weft_waitgroup_wait(&jobs); }

  private:
    struct Job {
        Pool *pool;
        std::function<void()> work;
    };
    static void run(void *arg)
    {
        auto *job = static_cast<Job *>(arg);
        weft_chan_recv(job->pool->turns, nullptr);
        Ticket ticket(job->pool->jobs);
        job->work();
        delete job;
    }

    weft_waitgroup jobs{};
    weft_chan *turns;
};

void work(void *)
{
    Pool pool;
    for (int i = 0; i < 3; i++)
        pool.submit([] { weft_sleep(WEFT_MS); });
    pool.drain();
    std::printf("drained\n");
    pool.go_on(3);
    wait_until_tasks_wait();
}

} // namespace

int main()
{
    return weft_run(work, nullptr) == 0 ? 0 : 1;
}
