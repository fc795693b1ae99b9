/*
 * weft_io.h - descriptors: reading, writing, connections, files, deadlines. A part of weft.h, which
 * includes it, with the same rules.
 */
#ifndef WEFT_IO_H
#define WEFT_IO_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <weft.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For sockets, pipes, terminals and whatever else epoll takes; sockets keep their mode, except in
 * connect and accept, as pipes do; terminals and the like are made non-blocking. Regular files are
 * read and written at once if that needs no disk, else on a thread of their own while the worker
 * goes on. One task may read while another writes. Outside a task they block the thread. Close with
 * weft_close: numbers that accept or connect returned and that are closed otherwise and used anew
 * may be served half a second late. */

/* As read(2): what there is, at least a byte; 0 at the end. Or a negative errno. Go: conn.Read. */
WEFT_API ssize_t weft_read(int fd, void *buffer, size_t size);

/* Writes all of it: `size`, or a negative errno when only a part could be written. No SIGPIPE: a
 * broken pipe is -EPIPE. Go: conn.Write. */
WEFT_API ssize_t weft_write(int fd, const void *buffer, size_t size);

/* As accept(2): a new descriptor, non-blocking and closed on exec. Where there is none to be had
 * (-EMFILE and the like) a task waits before it is told so, 5 ms at first and up to a second, that
 * a server that just tries again does not spin. Go: listener.Accept. */
WEFT_API int weft_accept(int fd, struct sockaddr *address, socklen_t *length);

/* As connect(2), waiting until it is connected, for room in the queue of a Unix socket too: 0 or a
 * negative errno. Makes fd non-blocking. Go: net.Dial. */
WEFT_API int weft_connect(int fd, const struct sockaddr *address, socklen_t length);

/* Waits until one of `events` (POLLIN, POLLOUT, POLLPRI, POLLRDHUP) or an error holds: what holds,
 * as poll(2) says it; 0 after `timeout_ns`; or a negative errno. Go: the wait within
 * syscall.RawConn.Read and Write. */
WEFT_API int weft_poll(int fd, short events, int64_t timeout_ns);

/* Closes it. Calls of others that wait for it end with -EBADF, and so do those that begin
 * meanwhile. The number is given up, for another file to get it, when no call of weft's uses it any
 * more, so none that had begun ever touches that file. As a rule that is before this returns; but
 * where one is in the middle of a blocking read or write of a file (or in a plain thread), this
 * returns 0 at once and that call closes the file at its end: until then the number stays taken,
 * and calls on it end with -EBADF. 0, or a negative errno; -EBADF also when another closes it
 * already. A call that begins after that is one for whatever has the number then. Go: conn.Close,
 * os.File.Close. */
WEFT_API int weft_close(int fd);

/* From `when` on, a time of weft_now(), reads and accepts (read), writes and connects (write), or
 * both end with -ETIMEDOUT, those that wait now and later ones, also if they would not have to
 * wait; until the deadline is set anew. 0: none. weft_poll has its own limit. A deadline belongs to
 * the number: weft_close takes it away, close(2) does not. From any thread. 0, -EBADF, -ENOMEM. Go:
 * conn.SetDeadline, SetReadDeadline, SetWriteDeadline. */
WEFT_API int weft_set_deadline(int fd, int64_t when);
WEFT_API int weft_set_read_deadline(int fd, int64_t when);
WEFT_API int weft_set_write_deadline(int fd, int64_t when);

/* The calls of those names, waiting as weft_read and weft_write do; writev writes all of it, with
 * at most 1024 buffers. readv and writev take what is no socket, too. MSG_WAITALL is not heeded,
 * and MSG_ERRQUEUE does not wait. Go: net.Buffers.WriteTo, net.PacketConn.ReadFrom and WriteTo,
 * net.UDPConn.ReadMsgUDP and WriteMsgUDP. */
WEFT_API ssize_t weft_readv(int fd, const struct iovec *buffers, int count);
WEFT_API ssize_t weft_writev(int fd, const struct iovec *buffers, int count);
WEFT_API ssize_t weft_recvfrom(int fd, void *buffer, size_t size, int flags,
                               struct sockaddr *address, socklen_t *length);
WEFT_API ssize_t weft_sendto(int fd, const void *buffer, size_t size, int flags,
                             const struct sockaddr *address, socklen_t length);
WEFT_API ssize_t weft_recvmsg(int fd, struct msghdr *message, int flags);
WEFT_API ssize_t weft_sendmsg(int fd, const struct msghdr *message, int flags);

/* Sends `size` bytes of the file `from`, or what it has, from *offset on, which moves (NULL: from
 * its own position). Makes `to` non-blocking. The bytes sent, or a negative errno.
 * Go: io.Copy(conn, file). */
WEFT_API ssize_t weft_sendfile(int to, int from, off_t *offset, size_t size);

/* getaddrinfo(3) on a thread that may block. *found is to be freed with freeaddrinfo(3). 0;
 * -ENOENT: no such name; -EAGAIN: not now; or another negative errno. Go: net.Resolver. */
struct addrinfo;
WEFT_API int weft_resolve(const char *node, const char *service, const struct addrinfo *hints,
                          struct addrinfo **found);

/* A socket that listens, or is bound if it is for messages. `network` is one of tcp, tcp4, tcp6,
 * udp, udp4, udp6, unix; `address` is "host:port", "[host]:port", ":port" (all of this machine's,
 * of IPv4 and IPv6 by one socket unless the network is one of them), or for unix a path ("@name":
 * no file). Non-blocking, closed on exec; close it with weft_close. A negative errno. Go:
 * net.Listen, net.ListenPacket. */
WEFT_API int weft_listen(const char *network, const char *address);

/* A socket that is connected there, within `timeout_ns` (WEFT_FOREVER: no limit; the look-up of the
 * name has its own), trying each address of the name. TCP_NODELAY is set, as in Go. A negative
 * errno; -ETIMEDOUT. Go: net.Dial, net.DialTimeout. */
WEFT_API int weft_dial(const char *network, const char *address, int64_t timeout_ns);

/* As open(2), on a thread that may block; closed on exec. Go: os.OpenFile. */
WEFT_API int weft_open(const char *path, int flags, mode_t mode);

/* As pread(2), and as pwrite(2) but all of it. For regular files. Go: f.ReadAt, f.WriteAt. */
WEFT_API ssize_t weft_pread(int fd, void *buffer, size_t size, off_t offset);
WEFT_API ssize_t weft_pwrite(int fd, const void *buffer, size_t size, off_t offset);

/* As fsync(2), on a thread that may block. Go: f.Sync. */
WEFT_API int weft_fsync(int fd);

#ifdef __cplusplus
}
#endif
#endif
