// leaks_local.cpp - a library with thread-local memory, see leaks.cpp.
extern "C" void **local_place();

thread_local void *local[100];

extern "C" void **local_place()
{
    return &local[50];
}
