// contend-std.cpp - a board of prices behind a std::shared_mutex, which helps readers; but here
// everybody writes. The lock is held for longer than a thread is let run on a busy machine.
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace
{

class Board
{
  public:
    void post(const std::string &name, int price)
    {
        std::unique_lock<std::shared_mutex> guard(lock_); /* LOCK */
        for (int i = 0; i < 90000; i++)
            prices_[name + std::to_string(i % 20)] = price + i;
    }

  private:
    std::shared_mutex lock_;
    std::map<std::string, int> prices_;
};

void trade(Board &board, int trader)
{
    for (int i = 0; i < 30; i++) {
        board.post("share" + std::to_string(trader), i);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace

int main()
{
    Board board;
    std::vector<std::thread> traders;

    for (int i = 0; i < 4; i++)
        traders.emplace_back(trade, std::ref(board), i);
    for (auto &trader : traders)
        trader.join();
    std::puts("traded");
    return 0;
}
