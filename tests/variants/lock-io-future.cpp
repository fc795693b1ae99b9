// lock-io-future.cpp - a cache that fills its gaps by std::async, and waits for the future with its
// lock held: everybody waits for the one who asked first.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace
{

int load(int key)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return key * 2;
}

struct cache {
    std::mutex lock;
    std::map<int, int> values;

    int get(int key)
    {
        std::lock_guard<std::mutex> guard(lock); /* LOCK */
        auto known = values.find(key);
        if (known != values.end())
            return known->second;
        auto loading = std::async(std::launch::async, load, key);
        return values[key] = loading.get(); /* WAIT */
    }
};

} // namespace

int main()
{
    cache values;
    std::vector<std::thread> readers;

    for (int i = 0; i < 4; i++)
        readers.emplace_back([&values, i] {
            for (int key = 0; key < 8; key++)
                if (values.get(100 * i + key) != 2 * (100 * i + key))
                    std::abort();
        });
    for (auto &reader : readers)
        reader.join();
    std::printf("%zu\n", values.values.size());
    return 0;
}
