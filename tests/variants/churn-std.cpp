// churn-std.cpp - the timer a request, as an object of a scope: a timerfd that is made in the
// constructor and closed in the destructor.
#include <cstdio>
#include <cstdlib>
#include <sys/timerfd.h>
#include <unistd.h>

namespace
{

class Deadline
{
  public:
    explicit Deadline(long seconds) : fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) /* CHURN */
    {
        itimerspec at{{0, 0}, {seconds, 0}};
        if (fd < 0 || timerfd_settime(fd, 0, &at, nullptr) != 0)
            std::abort();
    }
    Deadline(const Deadline &) = delete;
    Deadline &operator=(const Deadline &) = delete;
    ~Deadline() { close(fd); }

  private:
    int fd;
};

long request(long i)
{
    Deadline deadline(30);
    return i % 3;
}

} // namespace

int main()
{
    long sum = 0;

    for (long i = 0; i < 4000; i++)
        sum += request(i);
    std::printf("%ld\n", sum);
    return 0;
}
