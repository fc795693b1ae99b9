/*
 * A small HTTP/1.1 server that says hello: go_raw_http.go in Weft. Prints its port. It keeps
 * connections, takes requests in any pieces and several at once (pipelining), checks the request
 * line and each header, skips bodies with a Content-Length, honours "Connection: close" and
 * HTTP/1.0, and answers 400 to what is no request.
 */
#include "bench/io/listen.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { IN_SIZE = 8192, OUT_SIZE = 8192, RESPONSE_MAX = 256 };

struct request {
    size_t body; /* bytes that follow the head */
    bool close;
};

struct connection {
    int fd;
    size_t start, end; /* what is in `in` and not yet looked at */
    size_t pending;    /* what is in `out` */
    time_t date_of;
    char date[32];
    char in[IN_SIZE], out[OUT_SIZE];
};

static bool token_char[256];

static void fill_token_char(void)
{
    for (int c = 1; c < 128; c++)
        token_char[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("!#$%&'*+-.^_`|~", c);
}

/* The length of the token that begins at p. */
static size_t token(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && token_char[(unsigned char)*q])
        q++;
    return (size_t)(q - p);
}

/* METHOD SP TARGET SP HTTP/1.x */
static bool parse_request_line(const char *p, const char *end, struct request *r)
{
    size_t method = token(p, end);
    if (method == 0 || p + method == end || p[method] != ' ')
        return false;
    p += method + 1;
    const char *space = memchr(p, ' ', (size_t)(end - p));
    if (!space || space == p || end - space != 9 || memcmp(space + 1, "HTTP/1.", 7) != 0)
        return false;
    r->close = space[8] == '0';
    return space[8] == '0' || space[8] == '1';
}

static bool is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

static bool parse_length(const char *p, size_t n, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || *length > SIZE_MAX / 20)
            return false;
        *length = *length * 10 + (size_t)(p[i] - '0');
    }
    return n > 0;
}

/* NAME ":" OWS VALUE OWS */
static bool parse_header(const char *p, const char *end, struct request *r)
{
    size_t name = token(p, end);
    if (name == 0 || p + name == end || p[name] != ':')
        return false;
    const char *value = p + name + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (value < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t n = (size_t)(end - value);
    if (is(p, name, "content-length"))
        return parse_length(value, n, &r->body);
    if (is(p, name, "transfer-encoding"))
        return false;
    if (is(p, name, "connection"))
        r->close = is(value, n, "close") || (r->close && !is(value, n, "keep-alive"));
    return true;
}

/* The size of the head that begins at `in + start`; 0: there is more to come; -1: no request. */
static ssize_t parse(const struct connection *c, struct request *r)
{
    const char *begin = c->in + c->start, *end = c->in + c->end, *p = begin;
    *r = (struct request){0};
    for (bool first = true;; first = false) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if (!newline)
            return 0;
        if (newline == p || newline[-1] != '\r')
            return -1;
        if (newline - 1 == p && !first)
            return newline + 1 - begin;
        if (first ? !parse_request_line(p, newline - 1, r) : !parse_header(p, newline - 1, r))
            return -1;
        p = newline + 1;
    }
}

static bool flush(struct connection *c)
{
    size_t n = c->pending;
    c->pending = 0;
    return n == 0 || weft_write(c->fd, c->out, n) == (ssize_t)n;
}

static void append(struct connection *c, const char *text, size_t n)
{
    memcpy(c->out + c->pending, text, n);
    c->pending += n;
}

static void append_number(struct connection *c, size_t number)
{
    char digits[24], *p = digits + sizeof digits;
    do
        *--p = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    append(c, p, (size_t)(digits + sizeof digits - p));
}

#define APPEND(c, text) append((c), (text), strlen(text))

static bool respond(struct connection *c, const char *status, bool close)
{
    static const char hello[] = "Hello, world\n";
    if (OUT_SIZE - c->pending < RESPONSE_MAX && !flush(c))
        return false;
    time_t now = time(NULL);
    if (now != c->date_of) {
        struct tm tm;
        strftime(c->date, sizeof c->date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
        c->date_of = now;
    }
    APPEND(c, "HTTP/1.1 ");
    APPEND(c, status);
    APPEND(c, "\r\nDate: ");
    APPEND(c, c->date);
    APPEND(c, "\r\nContent-Length: ");
    append_number(c, sizeof hello - 1);
    APPEND(c, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
    if (close)
        APPEND(c, "Connection: close\r\n");
    APPEND(c, "\r\n");
    append(c, hello, sizeof hello - 1);
    return true;
}

/* More of the request. False: there is none, or it is too large. */
static bool fill(struct connection *c)
{
    if (c->start > 0) {
        memmove(c->in, c->in + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
    }
    if (c->end == IN_SIZE)
        return false;
    ssize_t n = weft_read(c->fd, c->in + c->end, IN_SIZE - c->end);
    c->end += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool skip_body(struct connection *c, size_t body)
{
    while (body > c->end - c->start) {
        body -= c->end - c->start;
        c->start = c->end = 0;
        if (!fill(c))
            return false;
    }
    c->start += body;
    return true;
}

static void handle(void *arg)
{
    struct connection c; /* its buffers need no clearing */
    c.fd = (int)(intptr_t)arg;
    c.start = c.end = c.pending = 0;
    c.date_of = 0;
    for (bool open = true; open;) {
        struct request r;
        ssize_t head = parse(&c, &r);
        if (head == 0) {
            open = flush(&c) && fill(&c);
        } else if (head < 0) {
            respond(&c, "400 Bad Request", true);
            open = false;
        } else {
            c.start += (size_t)head;
            open = skip_body(&c, r.body) && respond(&c, "200 OK", r.close) && !r.close;
        }
    }
    flush(&c);
    weft_close(c.fd);
}

static void main_task(void *arg)
{
    (void)arg;
    serve(handle);
}

int main(void)
{
    raise_file_limit();
    fill_token_char();
    return weft_run(main_task, NULL) == 0 ? 0 : 1;
}
