/*
 * worker.c - the program that the fault tests record while something goes wrong around it.
 *
 * worker COUNTER ROUNDS: makes ROUNDS groups of threads; they contend for a lock and end. COUNTER
 * is a file that it maps: it stores there its process id and how many threads it has joined, so
 * that a test knows how far it was when it was killed. At the end it prints a line on either output
 * and exits with 5; the lines depend on ROUNDS alone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GROUP = 8, TURNS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t sum;

static void *work(void *arg)
{
    for (uintptr_t i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&lock);
        sum += i * (uintptr_t)arg;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

struct counter {
    _Atomic uint64_t joined;
    _Atomic uint64_t pid;
};

static void run_group(struct counter *counter)
{
    pthread_t threads[GROUP];

    for (uintptr_t i = 0; i < GROUP; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(i + 1)) != 0)
            exit(6);
    }
    for (int i = 0; i < GROUP; i++) {
        pthread_join(threads[i], NULL);
        atomic_fetch_add(&counter->joined, 1);
    }
}

static struct counter *map_counter(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    void *map = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, 4096) == 0)
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        perror(path);
        exit(7);
    }
    close(fd);
    return map;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: worker COUNTER ROUNDS\n");
        return 2;
    }
    struct counter *counter = map_counter(argv[1]);
    atomic_store(&counter->pid, (uint64_t)getpid());
    long rounds = atol(argv[2]);
    for (long i = 0; i < rounds; i++)
        run_group(counter);
    printf("sum %llu\n", (unsigned long long)sum);
    fprintf(stderr, "joined %llu\n", (unsigned long long)atomic_load(&counter->joined));
    return 5;
}
