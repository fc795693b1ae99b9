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

constexpr int ROOM = 16;
constexpr int LETTERS = 24;

class Mailer
{
  public:
    Mailer() : outbox(weft_chan_new(sizeof(int), ROOM)) /* LOST */
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

        /* Those that must go for the last one to find room; the next one takes long. */
        for (int sent = 1; !self->stop && weft_chan_recv(self->outbox, &letter) == 0; sent++)
            do
                weft_sleep(10 * WEFT_MS);
            while (sent > LETTERS - ROOM && !self->stop);
    }

    weft_chan *outbox;
    weft_waitgroup wg{};
    std::atomic<bool> stop{false};
};

void test(void *)
{
    Mailer mailer;

    for (int i = 0; i < LETTERS; i++)
        mailer.post(i);
    std::puts("posted");
}

} // namespace

int main()
{
    return weft_run(test, nullptr) == 0 ? 0 : 1;
}
