// recursive-std.cpp - a watcher of directories: a detached std::thread for each one found, which
// makes one for each that it finds itself.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

namespace
{

class Walk
{
  public:
    void enter(int depth)
    {
        {
            std::lock_guard<std::mutex> guard(lock);
            left++;
        }
        std::thread([this, depth] { visit(depth); }).detach(); /* SPAWN */
    }

    void wait()
    {
        std::unique_lock<std::mutex> guard(lock);
        done.wait(guard, [this] { return left == 0; });
    }

  private:
    void visit(int depth)
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        for (int i = 0; depth < 5 && i < children; i++)
            enter(depth + 1);
        std::lock_guard<std::mutex> guard(lock);
        left--;
        done.notify_all();
    }

    std::mutex lock;
    std::condition_variable done;
    int left = 0;
    int children = 3; // of each directory
};

} // namespace

int main()
{
    static Walk walk;

    walk.enter(1);
    walk.wait();
    std::puts("walked");
    return 0;
}
