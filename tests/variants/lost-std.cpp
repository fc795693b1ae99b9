// lost-std.cpp - the context as a member: the destructor lets go of it and does not cancel.
#include <cstdio>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include <weft.h>
#pragma GCC diagnostic pop

namespace
{

class Scope
{
  public:
    explicit Scope(weft_ctx *parent) : ctx(weft_ctx_with_timeout(parent, 10 * WEFT_S)) /* LOST */ {}
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;
    ~Scope() { weft_ctx_release(ctx); }
    bool live() const { return weft_ctx_err(ctx) == 0; }

  private:
    weft_ctx *ctx;
};

void serve(void *)
{
    int live = 0;

    for (int i = 0; i < 50; i++) {
        Scope scope(nullptr);
        live += scope.live();
    }
    std::printf("%d\n", live);
}

} // namespace

int main()
{
    return weft_run(serve, nullptr) == 0 ? 0 : 1;
}
