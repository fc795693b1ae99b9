/* Does a known number of everything that is announced; see announcements.sh. */
#include <weft.h>

static struct weft_chan *chan;
static struct weft_waitgroup wg;
static struct weft_mutex mutex;
static struct weft_rwmutex rw;

static void receive(void *arg)
{
    (void)arg;
    while (weft_chan_recv(chan, NULL) == 0)
        weft_yield();
}

static void nothing(void *arg)
{
    (void)arg;
}

static void main_task(void *arg)
{
    (void)arg;
    chan = weft_chan_new(0, 0);
    for (int i = 0; i < 10; i++)
        weft_waitgroup_go(&wg, receive, NULL);
    for (int i = 0; i < 1000; i++)
        weft_chan_send(chan, NULL);
    weft_chan_close(chan);
    weft_waitgroup_wait(&wg);
    weft_chan_release(chan);
    weft_mutex_lock(&mutex);
    weft_rwmutex_rlock(&rw);
    weft_rwmutex_runlock(&rw);
    weft_rwmutex_lock(&rw);
    weft_rwmutex_unlock(&rw);
    weft_mutex_unlock(&mutex);
    struct weft_timer *t = weft_timer_new(WEFT_MS);
    weft_chan_recv(weft_timer_chan(t), NULL);
    weft_timer_reset(t, WEFT_S);
    weft_timer_stop(t);
    weft_timer_free(t);
    weft_blocking(nothing, NULL);
    weft_sleep(WEFT_MS);
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    weft_ctx_cancel(ctx);
    weft_ctx_release(ctx);
}

int main(void)
{
    struct weft_options two = {.workers = 2};
    return weft_run_with(&two, main_task, NULL) != 0;
}
