#include "daemon/names.h"

#include "net/addr.h"
#include "net/resolve.h"
#include "obs/log.h"

#include <stdlib.h>
#include <string.h>

/* After a failure it is asked again so soon, while the last good answer stays in use. */
#define RETRY_MS 5000

struct name {
	struct fl_link link;
	struct fl_names *names;
	char *text; /* "host:80", as the file has it */
	bool known;
	char literal[FL_ADDR_TEXT]; /* when known */
	char host[FL_HOST_TEXT];
	uint16_t port;
	bool wanted;
	struct fl_query *query; /* under way */
	struct fl_timer timer;  /* until the next question */
};

struct fl_names {
	struct fl_loop *loop;
	struct fl_resolver *resolver; /* from the first name on */
	void (*on_change)(void *cookie);
	void *cookie;
	struct fl_link all;
};

static void ask(struct name *n);

static void on_timer(void *cookie)
{
	ask(cookie);
}

/* The address in use stays as long as it is among the answers, so that a name server that turns
 * its list round does not make connections move. */
static bool still_there(const struct name *n, const struct fl_resolved *result)
{
	char text[FL_ADDR_TEXT];

	for (size_t i = 0; n->known && i < result->count; i++)
		if (fl_addr_format(&result->addr[i], text, sizeof(text)) &&
			strcmp(text, n->literal) == 0)
			return true;
	return false;
}

static void on_answer(void *cookie, const struct fl_resolved *result, const char *error)
{
	struct name *n = cookie;

	n->query = NULL;
	if (!result) {
		fl_log(FL_LOG_WARN, "%s cannot be resolved: %s%s", n->text, error,
			n->known ? " (the last address stays in use)" : "");
		fl_timer_set(n->names->loop, &n->timer, RETRY_MS);
		return;
	}
	fl_timer_set(n->names->loop, &n->timer, (uint64_t)result->ttl * 1000);
	if (still_there(n, result))
		return;
	n->known = fl_addr_format(&result->addr[0], n->literal, sizeof(n->literal)) > 0;
	fl_log(FL_LOG_INFO, "%s is at %s", n->text, n->literal);
	n->names->on_change(n->names->cookie);
}

static void ask(struct name *n)
{
	if (fl_resolver_ask(&n->query, n->names->resolver, n->names->loop, n->host, n->port, n,
		    on_answer)) {
		n->query = NULL;
		fl_timer_set(n->names->loop, &n->timer, RETRY_MS);
	}
}

static void forget(struct name *n)
{
	fl_query_cancel(n->query);
	fl_timer_cancel(&n->timer);
	fl_list_remove(&n->link);
	free(n->text);
	free(n);
}

struct fl_names *fl_names_new(
	struct fl_loop *loop, void (*on_change)(void *cookie), void *cookie)
{
	struct fl_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->loop = loop;
	names->on_change = on_change;
	names->cookie = cookie;
	fl_list_init(&names->all);
	return names;
}

void fl_names_free(struct fl_names *names)
{
	if (!names)
		return;
	while (!fl_list_empty(&names->all))
		forget(fl_container_of(names->all.next, struct name, link));
	fl_resolver_free(names->resolver);
	free(names);
}

void fl_names_begin(struct fl_names *names)
{
	fl_list_each (it, &names->all)
		fl_container_of(it, struct name, link)->wanted = false;
}

void fl_names_end(struct fl_names *names)
{
	fl_list_each_safe (it, &names->all) {
		struct name *n = fl_container_of(it, struct name, link);
		if (!n->wanted)
			forget(n);
	}
}

static struct name *find(struct fl_names *names, const char *text)
{
	fl_list_each (it, &names->all) {
		struct name *n = fl_container_of(it, struct name, link);
		if (strcmp(n->text, text) == 0)
			return n;
	}
	return NULL;
}

/* Without memory or a resolver the name stays unknown, which the next reload tries again. */
static struct name *add(
	struct fl_names *names, const char *text, const struct fl_endpoint *endpoint)
{
	if (!names->resolver && fl_resolver_new(&names->resolver, NULL)) {
		fl_log(FL_LOG_ERROR, "there is no resolver for %s", text);
		return NULL;
	}
	struct name *n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->text = strdup(text);
	if (!n->text) {
		free(n);
		return NULL;
	}
	n->names = names;
	memcpy(n->host, endpoint->host, sizeof(n->host));
	n->port = endpoint->port;
	fl_timer_init(&n->timer, on_timer, n);
	fl_list_push_back(&names->all, &n->link);
	ask(n);
	return n;
}

const char *fl_names_address(struct fl_names *names, const char *address)
{
	struct fl_endpoint endpoint;

	if (!address || fl_endpoint_parse(&endpoint, address, NULL) || !endpoint.is_name)
		return address;
	struct name *n = find(names, address);
	if (!n)
		n = add(names, address, &endpoint);
	if (!n)
		return address;
	n->wanted = true;
	return n->known ? n->literal : address;
}
