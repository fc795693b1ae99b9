// ticker-std.cpp - the ticker that nobody stops, as an object whose destructor forgets the timer.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <unistd.h>

namespace
{

class Heartbeat
{
  public:
    explicit Heartbeat(long period_ns)
    {
        sigevent event{};
        event.sigev_notify = SIGEV_NONE;
        itimerspec period{{0, period_ns}, {0, period_ns}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) /* LEAK */
            std::abort();
        timer_settime(timer, 0, &period, nullptr); /* ARMED */
    }

    long left_ns() const
    {
        itimerspec now{};
        timer_gettime(timer, &now);
        return now.it_value.tv_nsec;
    }

  private:
    timer_t timer{};
};

} // namespace

int main()
{
    long sum = 0;

    for (int i = 0; i < 10; i++) {
        auto heartbeat = std::make_unique<Heartbeat>(5000000);
        usleep(6000);
        sum += heartbeat->left_ns() > 0;
    }
    std::printf("%ld heartbeats\n", sum);
    return 0;
}
