// alloc-churn-std.cpp - a helper gives each frame of a stream as a vector of its own: nothing looks
// like an allocation here.
#include <cstdio>
#include <vector>

namespace
{

std::vector<unsigned char> frame(unsigned number)
{
    return std::vector<unsigned char>(16384, static_cast<unsigned char>(number)); /* CHURN */
}

unsigned long checksum(unsigned frames)
{
    unsigned long sum = 0;

    for (unsigned i = 0; i < frames; i++)
        sum += frame(i)[i % 16384];
    return sum;
}

} // namespace

int main()
{
    std::printf("%lu\n", checksum(60000));
    return 0;
}
