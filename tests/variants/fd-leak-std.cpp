// fd-leak-std.cpp - a class that opens a stream and has no destructor.
#include <cstdio>
#include <cstdlib>

namespace
{

class Config
{
  public:
    explicit Config(const char *path) : file(std::fopen(path, "r")) /* LEAK */
    {
        if (file == nullptr)
            std::abort();
    }
    int first() const { return std::fgetc(file); }

  private:
    std::FILE *file;
};

int reload(const char *path)
{
    Config config(path);
    return config.first();
}

} // namespace

int main(int, char **argv)
{
    int sum = 0;

    for (int i = 0; i < 40; i++)
        sum += reload(argv[0]) >= 0;
    std::printf("%d\n", sum);
    return 0;
}
