// group-weft-deaf.cpp - a group with a context that its members never look at, as objects.
#include <atomic>
#include <cstdio>
#include <cstdlib>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" // a struct and a function of one name, as in C
#include <weft.h>
#pragma GCC diagnostic pop

namespace
{

class Search
{
  public:
    explicit Search(int number) : left(number) {}

    void run()
    {
        weft_ctx *wanted = weft_group_with_ctx(&shards, nullptr);
        for (int i = left; i > 0; i--)
            if (weft_group_go_copy(&shards, ask, &i, sizeof i) != 0) /* MEMBERS */
                std::abort();
        if (weft_group_wait(&shards) != -5)
            std::abort();
        weft_ctx_release(wanted);
    }

  private:
    static int ask(void *arg)
    {
        const bool broken = *static_cast<int *>(arg) == 1;
        if (broken) {
            failed = true;
            return -5;
        }
        do
            weft_sleep(300 * WEFT_MS);
        while (!failed);
        return 0;
    }

    static inline std::atomic<bool> failed{false};
    weft_group shards{};
    int left;
};

void search(void *)
{
    Search(15).run();
    std::puts("searched");
}

} // namespace

int main()
{
    return weft_run(search, nullptr) == 0 ? 0 : 1;
}
