/* A server as libmemcached sees it, from a node's name: "host" or "host:port". */
#ifndef FL_COMPAT_LIBMEMCACHED_SERVER_H
#define FL_COMPAT_LIBMEMCACHED_SERVER_H

#include "compat/ketama_points.h"

#define FL_LMC_PORT 11211u

struct fl_lmc_server {
	const char *host; /* not ended */
	size_t host_size;
	unsigned port;
};

/* The port is what stands behind the last colon, if that is a number up to 65535; else it is the
 * usual one. So an IPv6 address needs its port written out. Borrows `name`. */
struct fl_lmc_server fl_lmc_server(const char *name);

/* What it hashes: "host" for the usual port, else "host:port". Spymemcached's form is always
 * "/host:port". */
void fl_lmc_server_text(char out[FL_SERVER_TEXT], const char *name);
void fl_lmc_server_text_spy(char out[FL_SERVER_TEXT], const char *name);

/* By host, byte for byte, then by port. */
int fl_lmc_server_compare(const char *a, const char *b);

#endif
