/* Listening sockets: made here, or inherited from whoever started this process.
 *
 * Every listening socket of the program comes through fl_listen, so that a reload, an upgrade
 * and systemd's socket activation are the same case: who has a socket for that address hands it
 * over, else a new one is made. Not on a loop's thread: probing an old unix socket and binding
 * may take a while. */
#ifndef FL_NET_LISTEN_H
#define FL_NET_LISTEN_H

#include "net/addr.h"

#define FL_INHERITED_MAX  256
#define FL_INHERITED_NAME 64

/* Sockets that came with the process. */
struct fl_inherited {
	struct {
		int fd; /* -1: taken */
		char name[FL_INHERITED_NAME];
		struct fl_addr addr;
	} socket[FL_INHERITED_MAX];
	size_t count;
};

struct fl_listen_options {
	int backlog;     /* 0: 4096 (the kernel has its own limit, too) */
	bool reuse_port; /* several sockets for one address, one for each worker */
	unsigned mode;   /* permissions of a unix socket; 0: as the umask says */
};

/* Fills `out` from LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, when they are meant for this
 * process, and takes them out of the environment in any case. Descriptors that are no listening
 * stream sockets are left alone. All are made non-blocking and close-on-exec.
 * FL_EINVAL, FL_ELIMIT: with `out` empty. Before there are other threads. */
int fl_inherited_init(struct fl_inherited *out, struct fl_error *err);

/* Adds one that came by another way. FL_EINVAL: not a listening stream socket; FL_ELIMIT. The
 * descriptor stays the caller's on failure. `name` may be NULL. */
int fl_inherited_add(struct fl_inherited *in, int fd, const char *name, struct fl_error *err);

/* Closes those that nobody took. */
void fl_inherited_fini(struct fl_inherited *in);

/* Opens a listening, non-blocking, close-on-exec stream socket, or takes an inherited one that
 * is bound to that address (`in` may be NULL). Returns a descriptor, or a negative code:
 * FL_EEXIST in use, FL_EINVAL anything else that is wrong with the address, FL_ELIMIT out of
 * descriptors, FL_ENOMEM. Accepted TCP connections have TCP_NODELAY already.
 * The stale file of a unix socket that nobody listens on is replaced. */
int fl_listen(const struct fl_addr *addr, const struct fl_listen_options *options,
	struct fl_inherited *in, struct fl_error *err);

/* The address that a listener is bound to (the port, when 0 was asked for). */
int fl_listen_addr(struct fl_addr *out, int fd);

/* Removes the file of a unix socket; nothing for other addresses. */
void fl_listen_unlink(const struct fl_addr *addr);

/* TCP_NODELAY, for sockets that were not accepted from fl_listen's; fine on any socket. */
void fl_tcp_nodelay(int fd);

#endif
