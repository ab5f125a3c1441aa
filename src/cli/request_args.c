#include "cli/request_args.h"

#include "key/key.h"
#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MOST ((size_t)256 << 10)

void fl_request_args_init(struct fl_request_args *args, const struct fl_verb *verb)
{
	*args = (struct fl_request_args){.verb = verb};
}

static int take_once(const struct fl_request_args *args, const char **field, const char *what,
	const char *value)
{
	if (*field)
		return fl_usage_error(args->verb, "--%s is given twice", what);
	*field = value;
	return FL_EXIT_DONE;
}

int fl_request_args_take(struct fl_request_args *args, int id, const char *value)
{
	switch (id) {
	case FL_REQUEST_ARG_TARGET:
		return take_once(args, &args->target, "target", value);
	case FL_REQUEST_ARG_CLIENT:
		return take_once(args, &args->client, "client", value);
	case FL_REQUEST_ARG_LISTENER:
		return take_once(args, &args->listener, "listener", value);
	default:
		if (args->header_count == FL_REQUEST_HEADERS)
			return fl_usage_error(
				args->verb, "more than %d headers", FL_REQUEST_HEADERS);
		args->headers[args->header_count++] = value;
		return FL_EXIT_DONE;
	}
}

bool fl_request_args_given(const struct fl_request_args *args)
{
	return args->target || args->client || args->listener || args->header_count > 0;
}

/* ---- the request itself ---- */

static bool has_host(const struct fl_request_args *args)
{
	for (size_t i = 0; i < args->header_count; i++)
		if (strncasecmp(args->headers[i], "host:", 5) == 0)
			return true;
	return false;
}

/* Parsed by the proxy's parser, so that what it would refuse is refused here. */
static int make_head(
	const struct fl_request_args *args, struct fl_text *text, struct fl_http1_head *head)
{
	const struct fl_http1_limits limits = {HEAD_MOST, HEAD_MOST, FL_HTTP1_MAX_HEADERS};
	struct fl_http1_error err = {0, ""};

	/* HTTP/1.1 must have a Host. */
	fl_text_format(text, "GET %s HTTP/1.%d\r\n", args->target ? args->target : "/",
		has_host(args) ? 1 : 0);
	for (size_t i = 0; i < args->header_count; i++)
		fl_text_format(text, "%s\r\n", args->headers[i]);
	FL_TEXT_LITERAL(text, "\r\n");
	if (text->failed)
		return fl_usage_error(args->verb, "the request is too large");
	if (fl_http1_request(text->p, text->n, &limits, head, &err) != 0)
		return fl_usage_error(
			args->verb, "the balancer would refuse this request: %s", err.why);
	return FL_EXIT_DONE;
}

/* An address with or without a port. */
static int parse_client(const struct fl_request_args *args, struct fl_addr *client)
{
	char text[FL_HOST_TEXT];
	struct fl_error err = {0};

	*client = (struct fl_addr){.len = 0};
	if (!args->client || fl_addr_parse(client, args->client, &err) == FL_OK)
		return FL_EXIT_DONE;
	bool bare_v6 = strchr(args->client, ':') && args->client[0] != '[';
	int n = snprintf(text, sizeof(text), bare_v6 ? "[%s]:0" : "%s:0", args->client);

	if (n > 0 && (size_t)n < sizeof(text) && fl_addr_parse(client, text, NULL) == FL_OK)
		return FL_EXIT_DONE;
	return fl_usage_error(args->verb,
		"--client wants an address such as 192.0.2.1 or 2001:db8::1, not \"%s\"",
		args->client);
}

/* ---- its way ---- */

static int find_listener(
	const struct fl_request_args *args, const struct fl_config *config, int *out)
{
	*out = 0;
	for (size_t i = 0; args->listener && i < config->listener_count; i++) {
		if (strcmp(config->listeners[i].name, args->listener) != 0)
			continue;
		*out = (int)i;
		return FL_EXIT_DONE;
	}
	if (!args->listener)
		return FL_EXIT_DONE;
	return fl_usage_error(args->verb, "there is no listener called \"%s\"", args->listener);
}

static int follow_route(const struct fl_request_args *args, struct fl_pool_args *pool,
	const struct fl_http1_head *head)
{
	const struct fl_config *config = NULL;
	struct fl_routes *routes;
	int listener, found, rc = fl_pool_args_file(pool, &config);

	if (rc == FL_EXIT_DONE)
		rc = find_listener(args, config, &listener);
	if (rc != FL_EXIT_DONE)
		return rc;
	routes = fl_config_routes(config);
	if (!routes)
		return fl_usage_error(args->verb, "out of memory");
	found = fl_routes_find(routes, listener, head->host, head->path);
	fl_routes_free(routes);
	if (found < 0) {
		(void)fl_usage_error(
			args->verb, "no route leads anywhere: the balancer would answer 404");
		return FL_EXIT_NO_OWNER;
	}
	pool->pool = config->pools[found].pool.name;
	return FL_EXIT_DONE;
}

/* What the pool's `no_key` says of a request that has none. */
static int without_key(const struct fl_request_args *args, enum fl_no_key no_key,
	const struct fl_key_request *request, struct fl_request_key *out)
{
	static const struct fl_key_source whole_ip = {
		.kind = FL_KEY_CLIENT_IP, .v4 = 32, .v6 = 128, .label = "client_ip"};

	if (no_key == FL_NO_KEY_CLIENT_IP &&
		fl_key_add_client(&whole_ip, request->client, &out->bytes)) {
		out->source = "no_key: client_ip";
		return FL_EXIT_DONE;
	}
	(void)fl_usage_error(args->verb, "%s",
		no_key == FL_NO_KEY_REJECT ? "none of the pool's sources gives a key: the "
					     "balancer would answer 400"
					   : "none of the pool's sources gives a key: any node "
					     "may get the request");
	return FL_EXIT_NO_OWNER;
}

int fl_request_args_key(const struct fl_request_args *args, struct fl_pool_args *pool,
	struct fl_request_key *out)
{
	struct fl_http1_head head = {.header_count = 0};
	const struct fl_config_pool *conf = NULL;
	struct fl_addr client;
	struct fl_key_request request = {&head, &client};
	const struct fl_key_source *source;
	struct fl_text text;
	int rc;

	*out = (struct fl_request_key){.routed = !pool->pool};
	fl_text_init(&out->bytes, HEAD_MOST);
	fl_text_init(&text, HEAD_MOST);
	pool->use = pool->pool ? FL_CONFIG_LOOKUP : FL_CONFIG_SERVE;
	rc = make_head(args, &text, &head);
	if (rc == FL_EXIT_DONE)
		rc = parse_client(args, &client);
	if (rc == FL_EXIT_DONE && out->routed)
		rc = follow_route(args, pool, &head);
	if (rc == FL_EXIT_DONE)
		rc = fl_pool_args_choose(pool, &conf);
	if (rc != FL_EXIT_DONE)
		goto done;
	source = fl_key_make(&conf->forward.key, &request, &out->bytes);
	out->source = source ? source->label : NULL;
	if (!source)
		rc = without_key(args, (enum fl_no_key)conf->forward.no_key, &request, out);
	if (out->bytes.failed)
		rc = fl_usage_error(args->verb, "the key is too large");
done:
	fl_text_fini(&text);
	return rc;
}
