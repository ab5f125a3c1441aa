/* The client of `verify`: asks one request after another over a few kept connections, never faster
 * than a rate, in the calling thread. */
#ifndef FL_CLI_VERIFY_CLIENT_H
#define FL_CLI_VERIFY_CLIENT_H

#include "base/text.h"
#include "cli/verify_answer.h"

#include <sys/socket.h>

#define FL_VERIFY_CONNS_MOST 256
#define FL_VERIFY_RATE_MOST  100000

struct fl_verify_client_options {
	struct sockaddr_storage addr;
	socklen_t len;
	unsigned rate;       /* requests a second, 1..FL_VERIFY_RATE_MOST */
	unsigned conns;      /* requests under way at a time, 1..FL_VERIFY_CONNS_MOST */
	uint64_t timeout_ms; /* for an answer, and for a connection */
	const struct fl_verify_finder *finder;
	/* Writes the next request into `request`, and a number of the caller's for it. False: there
	 * are no more. */
	bool (*next)(void *cookie, size_t *number, struct fl_text *request);
	/* What became of it: the node that answered, or NULL and why there is none. In the order of
	 * the answers. False: stop. */
	bool (*done)(void *cookie, size_t number, const char *node, const char *why);
	void *cookie;
};

/* Asks until `next` has no more and every answer is there, or until `done` says stop; requests under
 * way then are dropped. A request whose kept connection turns out to be closed is sent once more.
 * 0, or a negative errno when the loop cannot run. */
int fl_verify_client_run(const struct fl_verify_client_options *options);

#endif
