/* Addresses as text: resolve, listen, dial. */
#include "runtime/io/io.h"

#include <arpa/inet.h>
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

/* What is asked for: a socket for an address. */
struct request {
    const struct network *network;
    const char *address;
    int family;
    bool passive;
    int64_t until; /* connected by then */
    int (*use)(const struct addrinfo *a, const struct request *request);
};

/* A number needs no look-up, and no thread for that. */
static bool parse_numbers(const struct request *request, const char *host, const char *port,
                          struct sockaddr_storage *at, struct addrinfo *a)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;
    char *rest;
    unsigned long number = strtoul(port, &rest, 10);
    *at = (struct sockaddr_storage){0};
    *a = (struct addrinfo){.ai_socktype = request->network->type, .ai_addr = (void *)at};
    if (*port < '0' || *port > '9' || *rest != '\0')
        return false;
    if (request->family != AF_INET6 && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_port = htons((uint16_t)number);
        v4->sin_family = AF_INET;
        a->ai_addrlen = sizeof *v4;
    } else if (request->family != AF_INET && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_port = htons((uint16_t)number);
        v6->sin6_family = AF_INET6;
        a->ai_addrlen = sizeof *v6;
    } else {
        return false;
    }
    a->ai_family = at->ss_family;
    return true;
}

/* Each address of the name in turn: what the first that can be used is good for, or the first
 * error. */
static int for_each_address(const struct request *request)
{
    char host[HOST_MAX];
    const char *port;
    struct sockaddr_storage at;
    struct addrinfo number, *found;
    int r = split(request->address, host, &port);
    if (r < 0)
        return r;
    if (parse_numbers(request, host, port, &at, &number))
        return request->use(&number, request);
    struct addrinfo hints = {.ai_family = request->family,
                             .ai_socktype = request->network->type,
                             .ai_flags = request->passive ? AI_PASSIVE : 0};
    r = weft_resolve(*host ? host : NULL, port, &hints, &found);
    if (r < 0)
        return r;
    int first = -EHOSTUNREACH;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        r = request->use(a, request);
        if (r >= 0)
            break;
        if (a == found)
            first = r;
    }
    freeaddrinfo(found);
    return r >= 0 ? r : first;
}

/* All addresses of this machine, by one socket where the kernel has IPv6. */
static int listen_everywhere(struct request *request)
{
    request->family = AF_INET6;
    int r = for_each_address(request);
    if (r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL)
        return r;
    request->family = AF_INET;
    return for_each_address(request);
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

static int start(const char *network, struct request *request)
{
    request->network = find_network(network);
    if (!request->network)
        return -EINVAL;
    request->family = request->network->family;
    if (request->passive && request->family == AF_UNSPEC && *request->address == ':')
        return listen_everywhere(request);
    if (request->family != AF_UNIX)
        return for_each_address(request);
    struct sockaddr_un un;
    struct addrinfo a;
    int r = unix_address(request->address, &un, &a);
    return r < 0 ? r : request->use(&a, request);
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

/* Of IPv6 alone where that is what was asked for. */
static int choose_families(int fd, const struct addrinfo *a, const struct request *request)
{
    int alone = request->network->family == AF_INET6;
    if (a->ai_family != AF_INET6)
        return 0;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
}

static int listen_on(const struct addrinfo *a, const struct request *request)
{
    int one = 1, fd = make_socket(a);
    if (fd < 0)
        return fd;
    if ((is_tcp(a) && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0) ||
        choose_families(fd, a, request) != 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
        (a->ai_socktype == SOCK_STREAM && listen(fd, SOMAXCONN) != 0))
        return give_up(fd, (int)weft__failed());
    return fd;
}

int weft_listen(const char *network, const char *address)
{
    return start(network,
                 &(struct request){
                     .address = address, .passive = true, .until = INT64_MAX, .use = listen_on});
}

static int dial_to(const struct addrinfo *a, const struct request *request)
{
    int64_t until = request->until;
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
    int64_t until = timeout_ns < 0 ? INT64_MAX : weft__after_ns(timeout_ns);
    return start(network, &(struct request){.address = address, .until = until, .use = dial_to});
}
