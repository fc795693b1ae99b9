/* An echo server: go_echo.go in Weft. Prints its port. */
#include "bench/io/listen.h"

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[2048];
    ssize_t n;
    while ((n = weft_read(fd, buffer, sizeof buffer)) > 0 && weft_write(fd, buffer, (size_t)n) == n)
        ;
    weft_close(fd);
}

static void main_task(void *arg)
{
    (void)arg;
    serve(echo);
}

int main(void)
{
    raise_file_limit();
    return weft_run(main_task, NULL) == 0 ? 0 : 1;
}
