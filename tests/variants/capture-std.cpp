/*
 * A mail is sent, and a thread reminds of it when no answer came. The closure captures the mail by
 * value, text and all, to have its number at the end.
 *
 * Look at the closure in remind.
 */
#include "test-programs/common/sample.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#define MAILS 150

struct mail {
    int number;
    std::string text;
};

static std::mutex lock;
static std::condition_variable evening;
static bool is_evening;
static long reminded;

static std::thread remind(const mail &sent)
{
    return std::thread([sent] {
        std::unique_lock<std::mutex> held(lock);
        evening.wait(held, [] { return is_evening; });
        reminded += sent.number;
    });
}

int main()
{
    std::vector<std::thread> reminders;
    for (int i = 0; i < MAILS; i++)
        reminders.push_back(remind({i, std::string(20000 + static_cast<size_t>(i), 'x')}));
    wait_until_others_wait();
    sleep_ms(20);
    {
        std::lock_guard<std::mutex> held(lock);
        is_evening = true;
    }
    evening.notify_all();
    for (auto &reminder : reminders)
        reminder.join();
    return reminded == MAILS * (MAILS - 1) / 2 ? 0 : 1;
}
