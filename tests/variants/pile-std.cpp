// pile-std.cpp - the pile of descriptors, as streams that a vector owns to the end of its scope.
#include <cstdio>
#include <fstream>
#include <memory>
#include <vector>

namespace
{

std::unique_ptr<std::ifstream> open_input(const char *path)
{
    return std::make_unique<std::ifstream>(path); /* PILE */
}

long first_bytes(const char *path, int files)
{
    std::vector<std::unique_ptr<std::ifstream>> inputs;
    long sum = 0;

    for (int i = 0; i < files; i++) {
        inputs.push_back(open_input(path));
        sum += inputs.back()->get() >= 0;
    }
    return sum;
}

} // namespace

int main(int, char **argv)
{
    std::printf("%ld\n", first_bytes(argv[0], 400));
    return 0;
}
