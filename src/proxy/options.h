/* What the proxy can be told: listeners, routes, forwarding, limits and timeouts. The rows of
 * these structs are in options.c; the daemon assembles them into the file's grammar. */
#ifndef FL_PROXY_OPTIONS_H
#define FL_PROXY_OPTIONS_H

#include "base/option.h"
#include "key/source.h"

/* ---- listeners ---- */

struct fl_listener_conf {
	const char *name;
	const char *bind; /* "127.0.0.1:8080", ":8080", "[::1]:80", "unix:/path" */
	int protocol;     /* enum fl_listener_protocol */
};

enum fl_listener_protocol {
	FL_LISTENER_HTTP,
};

extern const struct fl_option fl_listener_rows[];

/* ---- routes ---- */

struct fl_route_conf {
	const char *listener; /* NULL: every listener */
	const char *host;     /* NULL: every host; "example.com", "*.example.com" */
	const char *path;     /* NULL or "/": every path; else a prefix on a segment boundary */
	const char *pool;
};

extern const struct fl_option fl_route_rows[];

/* ---- forwarding ---- */

enum fl_no_key {
	FL_NO_KEY_CLIENT_IP,
	FL_NO_KEY_RANDOM,
	FL_NO_KEY_REJECT,
};

/* What the proxy wants to know of a pool, beside its nodes. */
struct fl_forward_conf {
	struct fl_key_sources key; /* first that gives a value; default client_ip */
	int no_key;                /* enum fl_no_key */
	int64_t attempts;          /* nodes tried for one request, the first included */
	uint64_t replay;       /* bytes of a request body kept so that it can be tried again */
	uint64_t connect_ms;   /* to establish a connection to a node */
	uint64_t response_ms;  /* from the request sent to the first byte of the answer */
	uint64_t stall_ms;     /* without a byte either way, once a body is under way */
	uint64_t keepalive_ms; /* an idle connection to a node is kept so long */
	int64_t keepalive;     /* idle connections kept, a node and worker */
	int64_t eject_fails;   /* failures in a row that eject a node; 0: never */
	uint64_t eject_ms;     /* an ejected node without active checks is tried again */
};

extern const struct fl_option fl_forward_rows[];

/* ---- the client's side ---- */

struct fl_client_conf {
	uint64_t head_ms;    /* to receive a whole request head */
	uint64_t idle_ms;    /* keep-alive connections may be idle so long */
	uint64_t stall_ms;   /* without a byte either way, once a body is under way */
	uint64_t drain_ms;   /* after SIGTERM, requests under way may take so long */
	uint64_t line;       /* bytes of a request line */
	uint64_t head;       /* bytes of a request or answer head */
	int64_t headers;     /* header fields */
	uint64_t body;       /* bytes of a request body */
	int64_t connections; /* client connections in all; over it, new ones are closed at once */
};

extern const struct fl_option fl_limit_rows[];   /* "limits": of struct fl_client_conf */
extern const struct fl_option fl_timeout_rows[]; /* "timeouts": of struct fl_client_conf */

#endif
