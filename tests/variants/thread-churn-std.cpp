// thread-churn-std.cpp - std::async with a thread for each small piece, two at a time.
#include <cstdio>
#include <future>
#include <numeric>
#include <vector>

namespace
{

long sum(const std::vector<int> &numbers, std::size_t from, std::size_t to)
{
    return std::accumulate(numbers.begin() + static_cast<long>(from),
                           numbers.begin() + static_cast<long>(to), 0L);
}

long sum_in_parallel(const std::vector<int> &numbers)
{
    const std::size_t half = numbers.size() / 2;
    auto lower = std::async(std::launch::async, sum, std::cref(numbers), 0, half); /* CHURN */
    long upper = sum(numbers, half, numbers.size());
    return lower.get() + upper;
}

} // namespace

int main()
{
    std::vector<int> numbers(100, 1);
    long total = 0;

    for (int i = 0; i < 300; i++)
        total += sum_in_parallel(numbers);
    std::printf("%ld\n", total);
    return 0;
}
