/* The system calls of the request path, without libc's wrappers. Inside src/loop only.
 *
 * Those wrappers are cancellation points, and in a process with threads each call of one costs two
 * locked instructions; nothing here is ever cancelled. The sanitizers watch the wrappers, so
 * with them the wrappers are called. All return as the wrappers do, with errno. */
#ifndef FL_LOOP_SYS_H
#define FL_LOOP_SYS_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FL_SYS_WRAPPED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FL_SYS_WRAPPED 1
#endif
#endif
#if !defined(SYS_recvfrom) || !defined(SYS_sendto) || !defined(SYS_sendmsg)
#define FL_SYS_WRAPPED 1 /* 32 bits, with socketcall */
#endif

static inline ssize_t fl_sys_recv(int fd, void *p, size_t n, int flags)
{
#ifdef FL_SYS_WRAPPED
	return recv(fd, p, n, flags);
#else
	return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
#endif
}

static inline ssize_t fl_sys_send(int fd, const void *p, size_t n, int flags)
{
#ifdef FL_SYS_WRAPPED
	return send(fd, p, n, flags);
#else
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
#endif
}

static inline ssize_t fl_sys_sendmsg(int fd, const struct msghdr *msg, int flags)
{
#ifdef FL_SYS_WRAPPED
	return sendmsg(fd, msg, flags);
#else
	return syscall(SYS_sendmsg, fd, msg, flags);
#endif
}

static inline int fl_sys_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
#ifdef FL_SYS_WRAPPED
	return epoll_wait(fd, events, max, timeout_ms);
#else
	/* epoll_wait itself is missing where the kernel's table is newer. */
	return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms, NULL, 8);
#endif
}

#endif
