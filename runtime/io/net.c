/* Addresses as text: resolve, listen, dial. */
#include "runtime/io/io.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/time/timers.h"

/* ---- resolve ---- */

struct query {
    const char *node, *service;
    const struct addrinfo *hints;
    struct addrinfo *found;
    int result; /* of getaddrinfo */
    int error;  /* negative errno */
};

static void resolve(void *arg)
{
    struct query *q = arg;
    q->result = getaddrinfo(q->node, q->service, q->hints, &q->found);
    if (q->result == EAI_SYSTEM)
        q->error = (int)weft__failed();
}

static int errno_of(const struct query *q)
{
    switch (q->result) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        return q->error ? q->error : -EIO;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_NONAME:
    case EAI_SERVICE:
        return -ENOENT;
    case EAI_BADFLAGS:
    case EAI_SOCKTYPE:
    case EAI_FAMILY:
        return -EINVAL;
    default:
        return -EHOSTUNREACH;
    }
}

int weft_resolve(const char *node, const char *service, const struct addrinfo *hints,
                 struct addrinfo **found)
{
    struct query q = {.node = node, .service = service, .hints = hints};
    if (weft_blocking(resolve, &q) != 0)
        resolve(&q);
    *found = q.result == 0 ? q.found : NULL;
    return errno_of(&q);
}

/* ---- networks ---- */

struct network {
    const char *name;
    int family, type;
};

static const struct network networks[] = {
    {"tcp", AF_UNSPEC, SOCK_STREAM}, {"tcp4", AF_INET, SOCK_STREAM},
    {"tcp6", AF_INET6, SOCK_STREAM}, {"udp", AF_UNSPEC, SOCK_DGRAM},
    {"udp4", AF_INET, SOCK_DGRAM},   {"udp6", AF_INET6, SOCK_DGRAM},
    {"unix", AF_UNIX, SOCK_STREAM},
};

static const struct network *find_network(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
}

enum { HOST_MAX = 256 };

/* HOST:PORT, [HOST]:PORT or :PORT. */
static int split(const char *address, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(address, ':'), *end = colon;
    if (!colon)
        return -EINVAL;
    if (*address == '[') {
        if (colon == address + 1 || end[-1] != ']')
            return -EINVAL;
        address++;
        end--;
    } else if (memchr(address, ':', (size_t)(colon - address))) {
        return -EINVAL;
    }
    if (end - address >= HOST_MAX)
        return -ENAMETOOLONG;
    memcpy(host, address, (size_t)(end - address));
    host[end - address] = '\0';
    *port = colon + 1;
    char *rest;
    unsigned long number = strtoul(*port, &rest, 10);
    return *rest == '\0' && number > UINT16_MAX ? -EINVAL
                                                : 0; /* getaddrinfo takes it modulo 2^16 */
}

/* Calls use() for each address until it is not negative; that, or the first error. */
static int for_each_address(const struct network *n, const char *address, bool passive,
                            int (*use)(const struct addrinfo *a, int64_t until), int64_t until)
{
    char host[HOST_MAX];
    const char *port;
    int r = split(address, host, &port);
    if (r < 0)
        return r;
    struct addrinfo hints = {
        .ai_family = n->family, .ai_socktype = n->type, .ai_flags = passive ? AI_PASSIVE : 0};
    struct addrinfo *found;
    r = weft_resolve(*host ? host : NULL, port, &hints, &found);
    if (r < 0)
        return r;
    int first = -EHOSTUNREACH;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        r = use(a, until);
        if (r >= 0)
            break;
        if (a == found)
            first = r;
    }
    freeaddrinfo(found);
    return r >= 0 ? r : first;
}

static int unix_address(const char *path, struct sockaddr_un *un, struct addrinfo *a)
{
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof un->sun_path)
        return n ? -ENAMETOOLONG : -EINVAL;
    *un = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(un->sun_path, path, n);
    if (*path == '@') /* no file: the abstract namespace */
        un->sun_path[0] = '\0';
    *a = (struct addrinfo){
        .ai_family = AF_UNIX,
        .ai_socktype = SOCK_STREAM,
        .ai_addr = (struct sockaddr *)un,
        .ai_addrlen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path != '@'))};
    return 0;
}

static int start(const char *network, const char *address, bool passive,
                 int (*use)(const struct addrinfo *a, int64_t until), int64_t until)
{
    const struct network *n = find_network(network);
    if (!n)
        return -EINVAL;
    if (n->family != AF_UNIX)
        return for_each_address(n, address, passive, use, until);
    struct sockaddr_un un;
    struct addrinfo a;
    int r = unix_address(address, &un, &a);
    return r < 0 ? r : use(&a, until);
}

static int make_socket(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return (int)weft__failed();
    weft__fd_adopt(fd);
    return fd;
}

static bool is_tcp(const struct addrinfo *a)
{
    return a->ai_family != AF_UNIX && a->ai_socktype == SOCK_STREAM;
}

static int give_up(int fd, int error)
{
    weft_close(fd);
    return error;
}

/* ---- listen and dial ---- */

static int listen_on(const struct addrinfo *a, int64_t until)
{
    int one = 1, fd = make_socket(a);
    (void)until;
    if (fd < 0)
        return fd;
    if ((is_tcp(a) && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0) ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
        (a->ai_socktype == SOCK_STREAM && listen(fd, SOMAXCONN) != 0))
        return give_up(fd, (int)weft__failed());
    return fd;
}

int weft_listen(const char *network, const char *address)
{
    return start(network, address, true, listen_on, INT64_MAX);
}

static int dial_to(const struct addrinfo *a, int64_t until)
{
    int one = 1, fd = make_socket(a);
    if (fd < 0)
        return fd;
    if (is_tcp(a))
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int r = until == INT64_MAX ? 0 : weft_set_deadline(fd, until);
    if (r == 0)
        r = weft_connect(fd, a->ai_addr, a->ai_addrlen);
    if (r == 0 && until != INT64_MAX)
        r = weft_set_deadline(fd, 0);
    return r == 0 ? fd : give_up(fd, r);
}

int weft_dial(const char *network, const char *address, int64_t timeout_ns)
{
    return start(network, address, false, dial_to,
                 timeout_ns < 0 ? INT64_MAX : weft__after_ns(timeout_ns));
}
