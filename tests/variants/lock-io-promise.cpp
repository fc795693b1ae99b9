// lock-io-promise.cpp - a directory asks a resolver for what it does not know, and waits for the
// promise with its lock held. The resolver lives on: nothing is joined here.
#include "test-programs/common/sample.h"

#include <condition_variable>
#include <cstdio>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace
{

struct question {
    int key;
    std::promise<int> answer;
};

struct resolver {
    std::mutex lock;
    std::condition_variable asked;
    std::list<question> questions;

    void serve(int n)
    {
        for (int i = 0; i < n; i++) {
            std::unique_lock<std::mutex> guard(lock);
            asked.wait(guard, [this] { return !questions.empty(); });
            question next = std::move(questions.front());
            questions.pop_front();
            guard.unlock();
            sleep_ms(5);
            next.answer.set_value(next.key * 2);
        }
    }

    std::future<int> ask(int key)
    {
        std::lock_guard<std::mutex> guard(lock);
        questions.push_back({key, {}});
        asked.notify_one();
        return questions.back().answer.get_future();
    }
};

struct directory {
    std::mutex lock;
    std::map<int, int> known;
    resolver &names;

    int get(int key)
    {
        std::lock_guard<std::mutex> guard(lock); /* LOCK */
        auto at = known.find(key);
        if (at != known.end())
            return at->second;
        std::future<int> answer = names.ask(key);
        return known[key] = answer.get(); /* WAIT */
    }
};

} // namespace

int main()
{
    resolver names;
    directory all{{}, {}, names};
    std::vector<std::thread> readers;

    std::thread server([&names] { names.serve(32); });
    for (int i = 0; i < 4; i++)
        readers.emplace_back([&all, i] {
            for (int key = 0; key < 8; key++)
                MUST(all.get(100 * i + key) == 2 * (100 * i + key));
        });
    for (auto &reader : readers)
        reader.join();
    server.join();
    std::printf("%zu\n", all.known.size());
    return 0;
}
