// heap-leak-std.cpp - two sessions that own each other by shared pointers: neither ever goes.
#include <cstdio>
#include <memory>
#include <vector>

namespace
{

struct session {
    std::shared_ptr<session> peer;
    std::vector<char> buffer = std::vector<char>(1000);
};

void meet()
{
    auto one = std::make_shared<session>();   /* LEAK */
    auto other = std::make_shared<session>(); /* LEAK */
    one->peer = other;
    other->peer = one;
}

} // namespace

int main()
{
    for (int i = 0; i < 50; i++)
        meet();
    std::puts("50 meetings");
    return 0;
}
