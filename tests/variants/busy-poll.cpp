// busy-poll.cpp - an event loop whose poll does not wait: the time limit is zero, "to be quick".
#include "test-programs/common/sample.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace
{

class Loop
{
  public:
    Loop()
    {
        if (pipe(ends) != 0)
            std::abort();
    }
    void run() const
    {
        while (!has_input())
            ;
    }
    void wake() const
    {
        if (write(ends[1], "!", 1) != 1)
            std::abort();
    }

  private:
    bool has_input() const
    {
        pollfd input{ends[0], POLLIN, 0};
        return poll(&input, 1, 0) != 0; /* POLL */
    }

    int ends[2]{};
};

} // namespace

int main()
{
    Loop loop;
    std::thread waker([&loop] {
        do
            std::this_thread::sleep_for(std::chrono::milliseconds(400));
        while (!has_burned_ms(100));
        loop.wake();
    });
    loop.run();
    waker.join();
    std::puts("woken");
    return 0;
}
