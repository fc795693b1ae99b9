// headers.cpp - what is installed can be included by C++ that is strict.
#include <loiter.h>
#include <weft.h>

int main()
{
    loiter_mark("headers");
    return WEFT_MS > 0 ? 0 : 1;
}
