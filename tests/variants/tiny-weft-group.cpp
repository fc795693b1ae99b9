// tiny-weft-group.cpp - a group with a limit and a member for each number, as an object that looks
// like a parallel loop.
#include <atomic>
#include <cstdio>
#include <cstdlib>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // a struct and a function of one name, as in C
#include <weft.h>
#pragma GCC diagnostic pop

namespace
{

std::atomic<long> sum{0};

class ParallelFor
{
  public:
    explicit ParallelFor(int limit) { weft_group_set_limit(&group, limit); }

    void run(int n)
    {
        for (int i = 0; i < n; i++)
            if (weft_group_go_copy(&group, add, &i, sizeof i) != 0) /* SPAWN */
                std::abort();
        if (weft_group_wait(&group) != 0)
            std::abort();
    }

  private:
    static int add(void *arg)
    {
        sum += *static_cast<int *>(arg);
        return 0;
    }

    weft_group group{};
};

void run(void *)
{
    ParallelFor(32).run(15000);
    std::printf("%ld\n", sum.load());
}

} // namespace

int main()
{
    return weft_run(run, nullptr) == 0 ? 0 : 1;
}
