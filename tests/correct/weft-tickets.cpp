// weft-tickets.cpp - a pool that counts its jobs by tickets: a job has its ticket from the moment
// that it is handed in, also one that a job hands in while the pool is drained.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <utility>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // a struct and a function of one name, as in C
#include <weft.h>
#pragma GCC diagnostic pop

namespace
{

class Ticket
{
  public:
    explicit Ticket(weft_waitgroup &all) : group(&all) { weft_waitgroup_add(group, 1); }
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
        if (weft_go(run, new Job{this, std::move(work), Ticket(jobs)}) != 0)
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
        Ticket ticket;
    };
    static void run(void *arg)
    {
        auto *job = static_cast<Job *>(arg);
        weft_chan_recv(job->pool->turns, nullptr);
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
        pool.submit([&pool] { pool.submit([] { weft_sleep(WEFT_MS); }); });
    weft_waitgroup helpers{};
    weft_waitgroup_go(
        &helpers, [](void *arg) { static_cast<Pool *>(arg)->go_on(6); }, &pool);
    pool.drain();
    weft_waitgroup_wait(&helpers);
    std::printf("drained\n");
}

} // namespace

int main()
{
    return weft_run(work, nullptr) == 0 ? 0 : 1;
}
