// leaks.cpp CASE - loses memory in one known way, or keeps it in one; leaks_test.py compares what
// is found with LeakSanitizer. The cases are those of LLVM's tests of it, and more. `leaks --list`
// names them. Of LLVM's are left out: what is about LeakSanitizer's own calls and options
// (annotations, suppressions, retries), double and invalid frees, crashes of its own; a pointer in
// a thread's register, which Loiter cannot see; mapped memory, which is a root for Loiter and for
// LeakSanitizer when it is told so; stale words on a stack, which hide a leak from either; children
// (maps.c forks), and realloc to zero bytes, where the two allocators differ.
#include <dlfcn.h>
#include <libintl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace
{

#define CASE __attribute__((noinline)) void

struct node {
    node *next;
    char body[56];
};

void *volatile global;
int anything = 1;
void *volatile initialized = &anything;
thread_local void *volatile local;

/* The place on the stack where pointers were is written over. */
__attribute__((noinline)) void scrub()
{
    volatile char bytes[8192];
    memset(const_cast<char *>(bytes), 0, sizeof bytes);
}

/* Gives a block whose address is nowhere. */
__attribute__((noinline)) void lose(size_t size)
{
    void *volatile block = malloc(size);
    memset(block, 0, size);
    block = nullptr;
}

CASE plain()
{
    for (size_t size : {1, 100, 5000, 200000})
        lose(size);
}

CASE empty()
{
    lose(0);
}

CASE to_itself()
{
    void *volatile block = malloc(64);
    *static_cast<void **>(block) = block;
    block = nullptr;
}

CASE chain()
{
    node *volatile head = nullptr;
    for (int i = 0; i < 20; i++) {
        node *one = static_cast<node *>(calloc(1, sizeof(node)));
        one->next = head;
        head = one;
    }
    head = nullptr;
}

CASE ring()
{
    node *volatile a = static_cast<node *>(calloc(1, sizeof(node)));
    node *volatile b = static_cast<node *>(calloc(1, sizeof(node)));
    a->next = b;
    b->next = a;
    a = b = nullptr;
}

/* Copies of short names, to which only the C library points. */
CASE names_of_the_library()
{
    textdomain("a");
    for (const char *domain : {"b", "four", "of seven"})
        bindtextdomain(domain, "/");
    setlocale(LC_ALL, "C.UTF-8");
    setenv("TZ", "ABC-1", 1);
    tzset();
}

CASE from_global()
{
    node *a = static_cast<node *>(calloc(1, sizeof(node)));
    a->next = static_cast<node *>(malloc(77));
    global = a->body + 8;
    initialized = malloc(10);
}

CASE aligned()
{
    void *volatile block = nullptr, *out = nullptr;
    if (posix_memalign(&out, 4096, 3000) == 0)
        block = out;
    out = nullptr;
    block = memalign(64, 500);
    block = aligned_alloc(256, 512);
    block = valloc(4000);
    block = realloc(malloc(20), 300);
    block = realloc(malloc(20), 300000);
    block = nullptr;
}

CASE large()
{
    lose(20 << 20);
    char *kept = static_cast<char *>(malloc(600 << 20));
    /* Only a pointer into its depth is left, and what lies there points on. */
    global = kept + (500 << 20);
    *reinterpret_cast<void **>(kept + (400 << 20)) = malloc(123);
}

CASE unaligned()
{
    static char packed[24];
    void *volatile block = malloc(33);
    void *value = block;
    memcpy(packed + 3, &value, sizeof value);
    value = nullptr;
    block = nullptr;
}

/* ---- threads ---- */

sem_t ready, never;

void *waits(void *arg)
{
    (void)arg;
    void *volatile held = malloc(1111);
    local = malloc(2222);
    sem_post(&ready);
    sem_wait(&never);
    return held;
}

/* Its stack and its thread-local memory hold blocks. */
CASE living_thread()
{
    pthread_t thread;
    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    pthread_create(&thread, nullptr, waits, nullptr);
    sem_wait(&ready);
}

void *ends(void *arg)
{
    (void)arg;
    void *volatile held = malloc(1111);
    local = malloc(2222);
    (void)held;
    return nullptr;
}

CASE ended_thread()
{
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        pthread_create(&thread, nullptr, ends, nullptr);
        pthread_join(thread, nullptr);
    }
}

CASE own_thread_local()
{
    local = malloc(444);
}

CASE specific()
{
    pthread_key_t keys[200];
    for (pthread_key_t &key : keys) {
        pthread_key_create(&key, nullptr);
        pthread_setspecific(key, malloc(50));
    }
}

CASE crowd()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([] {
            for (size_t n = 0; n < 2000; n++) {
                void *volatile block = malloc(n);
                free(block);
            }
            lose(640);
        });
    for (std::thread &t : threads)
        t.join();
}

/* Each loses what it was given. */
CASE thread_argument()
{
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        pthread_create(
            &thread, nullptr, [](void *) -> void * { return nullptr; }, malloc(30));
        pthread_join(thread, nullptr);
    }
}

/* The thread's end gives it back. */
CASE key_destructor()
{
    static pthread_key_t key;
    pthread_t thread;
    pthread_key_create(&key, free);
    auto sets = [](void *) -> void * {
        pthread_setspecific(key, malloc(60));
        return nullptr;
    };
    pthread_create(&thread, nullptr, sets, nullptr);
    pthread_join(thread, nullptr);
}

/* Thread-local memory of a library that is loaded while the program runs. */
CASE loaded_thread_local()
{
    void *library = dlopen("libheap-leaks-local.so", RTLD_NOW);
    void **(*place)() = nullptr;
    if (library == nullptr)
        abort();
    *reinterpret_cast<void **>(&place) = dlsym(library, "local_place");
    *place() = malloc(707);
}

/* The only pointer lies on the stack of a context that goes on no more. */
ucontext_t of_case, other;
CASE context()
{
    static char stack[65536];
    getcontext(&other);
    other.uc_stack.ss_sp = stack;
    other.uc_stack.ss_size = sizeof stack;
    other.uc_link = &of_case;
    auto body = [] {
        void *volatile block = malloc(505);
        swapcontext(&other, &of_case);
        free(block);
    };
    makecontext(&other, static_cast<void (*)()>(body), 0);
    swapcontext(&of_case, &other);
}

/* Functions that exit() calls come before the search. */
node *last_words;
CASE freed_at_exit()
{
    last_words = static_cast<node *>(calloc(1, sizeof(node)));
    atexit([] {
        free(last_words);
        last_words = nullptr;
        lose(90);
    });
}

/* ---- C++ ---- */

struct counted {
    ~counted() { global = nullptr; }
    char body[10];
};

CASE array_of_none()
{
    global = new counted[0];
}

CASE objects()
{
    auto *volatile text = new std::string(200, 'x');
    text = nullptr;
    auto *volatile shared = new std::shared_ptr<std::string>(new std::string("kept by the other"));
    shared = nullptr;
    auto *volatile array = new counted[12];
    array = nullptr;
}

CASE containers_kept()
{
    static std::vector<std::unique_ptr<std::string>> all;
    for (int i = 0; i < 50; i++)
        all.push_back(std::make_unique<std::string>(100, 'y'));
    static std::string *left = new std::string(300, 'z');
    (void)left;
}

/* Small ones, so many that a few of them are samples. */
constexpr size_t many = 4096;
void **volatile all_of_many;

CASE many_lost()
{
    for (size_t i = 0; i < many; i++)
        lose(4096);
}

CASE many_kept()
{
    all_of_many = static_cast<void **>(calloc(many, sizeof(void *)));
    for (size_t i = 0; i < many; i++)
        all_of_many[i] = malloc(4096);
}

/* The frame that holds the block is there when the process ends. */
CASE on_the_stack()
{
    void *volatile block = malloc(999);
    if (block != nullptr)
        exit(0);
}

const struct {
    const char *name;
    void (*run)();
} cases[] = {{"plain", plain},
             {"empty", empty},
             {"to-itself", to_itself},
             {"chain", chain},
             {"ring", ring},
             {"from-global", from_global},
             {"names-of-the-library", names_of_the_library},
             {"aligned", aligned},
             {"large", large},
             {"unaligned", unaligned},
             {"living-thread", living_thread},
             {"ended-thread", ended_thread},
             {"own-thread-local", own_thread_local},
             {"specific", specific},
             {"crowd", crowd},
             {"thread-argument", thread_argument},
             {"key-destructor", key_destructor},
             {"loaded-thread-local", loaded_thread_local},
             {"context", context},
             {"freed-at-exit", freed_at_exit},
             {"array-of-none", array_of_none},
             {"objects", objects},
             {"containers-kept", containers_kept},
             {"many-lost", many_lost},
             {"many-kept", many_kept},
             {"on-the-stack", on_the_stack}};

} // namespace

int main(int argc, char **argv)
{
    for (const auto &c : cases) {
        if (argc == 2 && strcmp(argv[1], c.name) == 0) {
            c.run();
            scrub();
            return 0;
        }
        if (argc == 2 && strcmp(argv[1], "--list") == 0)
            puts(c.name);
    }
    return argc == 2 && strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
