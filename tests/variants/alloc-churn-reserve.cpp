// alloc-churn-reserve.cpp - room is made for one more each time: that keeps the vector from
// doubling.
#include <cstdio>
#include <vector>

namespace
{

void add(std::vector<double> &values, double value)
{
    values.reserve(values.size() + 1); /* GROW */
    values.push_back(value);
}

} // namespace

int main()
{
    std::vector<double> values;

    for (int i = 0; i < 25000; i++)
        add(values, i);
    std::printf("%zu\n", values.size());
    return 0;
}
