// undrained-std.cpp - the queue that nobody drains, as a class whose destructor releases it: its
// reader stops by a flag.
#include <atomic>
#include <cstdio>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include <weft.h>
#pragma GCC diagnostic pop

namespace
{

class Mailer
{
  public:
    Mailer() : outbox(weft_chan_new(sizeof(int), 16)) /* LOST */
    {
        weft_waitgroup_go(&wg, run, this);
    }
    Mailer(const Mailer &) = delete;
    Mailer &operator=(const Mailer &) = delete;
    ~Mailer()
    {
        stop = true;
        weft_waitgroup_wait(&wg);
        weft_chan_release(outbox);
    }
    void post(int letter) { weft_chan_send(outbox, &letter); }

  private:
    static void run(void *arg)
    {
        auto *self = static_cast<Mailer *>(arg);
        int letter;

        while (!self->stop && weft_chan_recv(self->outbox, &letter) == 0)
            weft_sleep(30 * WEFT_MS);
    }

    weft_chan *outbox;
    weft_waitgroup wg{};
    std::atomic<bool> stop{false};
};

void test(void *)
{
    Mailer mailer;

    for (int i = 0; i < 24; i++)
        mailer.post(i);
    std::puts("posted");
}

} // namespace

int main()
{
    return weft_run(test, nullptr) == 0 ? 0 : 1;
}
