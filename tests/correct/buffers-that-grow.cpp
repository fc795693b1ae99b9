// buffers-that-grow.cpp - blocks whose sizes go up: a vector that doubles, one that grows by a
// quarter, one place whose blocks are each given back before the next larger one is had, rows that
// are kept, and buffers that realloc makes larger where they lie.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace
{

volatile char sink;

std::size_t doubled()
{
    std::size_t sum = 0;
    for (int k = 0; k < 20; k++) {
        std::vector<double> values;
        for (int i = 0; i < 4000000; i++)
            values.push_back(i);
        sum += values.size();
    }
    return sum;
}

std::size_t by_a_quarter()
{
    std::size_t sum = 0;
    for (int k = 0; k < 10; k++) {
        std::vector<double> values;
        for (int i = 0; i < 4000000; i++) {
            if (values.size() == values.capacity())
                values.reserve(values.size() + values.size() / 4 + 16);
            values.push_back(i);
        }
        sum += values.size();
    }
    return sum;
}

// As of the steps of an elimination.
void one_after_the_other()
{
    for (std::size_t n = 1; n < 8000; n++) {
        char *volatile block = static_cast<char *>(std::malloc(n * 64));
        block[n] = 1;
        sink = block[n / 2 + n / 2];
        std::free(block);
    }
}

std::size_t kept_rows()
{
    std::vector<std::vector<char>> rows;
    for (std::size_t n = 1; n < 6000; n++) {
        rows.emplace_back();
        rows.back().reserve(n * 64);
    }
    return rows.size();
}

// By turns, so that there is always another one of nearly the same size.
std::size_t made_larger()
{
    char *blocks[4] = {};
    std::size_t n = 0;
    for (int i = 0; i < 1000; i++, n += 4096)
        for (char *&block : blocks) {
            block = static_cast<char *>(std::realloc(block, n + 4096));
            std::memset(block + n, i, 4096);
        }
    for (char *block : blocks) {
        sink = block[n / 2];
        std::free(block);
    }
    return n;
}

} // namespace

int main()
{
    std::size_t sum = doubled() + by_a_quarter();
    one_after_the_other();
    sum += kept_rows() + made_larger();
    std::printf("%zu\n", sum);
    return 0;
}
