/* A request as the command line describes it, and the key that the balancer would make of it: by
 * the routes and the key sources of a configuration file, with the proxy's own code. */
#ifndef FL_CLI_REQUEST_ARGS_H
#define FL_CLI_REQUEST_ARGS_H

#include "base/text.h"
#include "cli/pool_args.h"

enum {
	FL_REQUEST_ARG_TARGET,
	FL_REQUEST_ARG_HEADER,
	FL_REQUEST_ARG_CLIENT,
	FL_REQUEST_ARG_LISTENER,
	FL_REQUEST_ARGS_COUNT,
};

/* clang-format off */
#define FL_REQUEST_ARGS                                                                        \
	{"target", 't', "TARGET", "a request instead of a key: its path and query"},           \
	{"header", 'H', "HEADER", "\"Name: value\" of that request; may be repeated"},         \
	{"client", 0, "ADDRESS", "the address that it comes from"},                            \
	{"listener", 0, "NAME", "the listener that it comes to; the first when not given"}
/* clang-format on */

#define FL_REQUEST_HEADERS 64

struct fl_request_args {
	const struct fl_verb *verb;
	const char *target, *client, *listener;
	const char *headers[FL_REQUEST_HEADERS];
	size_t header_count;
};

void fl_request_args_init(struct fl_request_args *args, const struct fl_verb *verb);

/* Takes option `id`, counted from the first of FL_REQUEST_ARGS. FL_EXIT_DONE, or FL_EXIT_USAGE,
 * reported. */
int fl_request_args_take(struct fl_request_args *args, int id, const char *value);

/* Whether any of them was given. */
bool fl_request_args_given(const struct fl_request_args *args);

/* What became of the request. */
struct fl_request_key {
	struct fl_text bytes; /* of the key, to be freed with fl_text_fini; failed: none */
	const char *source;   /* label of the source that gave it, or "no_key: client_ip" */
	bool routed;          /* a route chose the pool, as --pool was not given */
};

/* The key of the request, and in pool->pool the pool that it goes to. `pool` has --config; its file
 * is read for FL_CONFIG_SERVE when a route has to be found. FL_EXIT_DONE; FL_EXIT_USAGE, reported;
 * FL_EXIT_NO_OWNER, reported, when the balancer would refuse it: no route, or no key. */
int fl_request_args_key(const struct fl_request_args *args, struct fl_pool_args *pool,
	struct fl_request_key *out);

#endif
