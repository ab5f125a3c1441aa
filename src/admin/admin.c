/* The server behind the control API: who may ask, which path it is, and the small answers. */
#include "admin/priv.h"

#include "base/assert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

uint64_t fl_admin_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct fl_pool *fl_admin_pool(const struct fl_admin *admin, struct fl_slice name)
{
	const struct fl_admin_source *source = &admin->source;
	size_t count = source->count(source->cookie);

	for (size_t i = 0; i < count; i++) {
		struct fl_pool *pool = source->pool(source->cookie, i);
		if (fl_slice_eq(fl_slice_of(fl_pool_name(pool)), name))
			return pool;
	}
	return NULL;
}

void fl_admin_error(struct fl_httpd_reply *reply, int status, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fl_httpd_status(reply, status);
	fl_json_put(reply, json_pack("{s:o}", "error", fl_json_text(text)), false);
	fl_httpd_append(reply, "\n", 1);
}

/* ---- small answers ---- */

static void answer_index(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	const struct fl_admin *admin = cookie;
	const char *comma = "";

	(void)req;
	(void)rest;
	fl_httpd_printf(reply, "{\"paths\":[");
	for (size_t t = 0; t < admin->table_count; t++) {
		for (const struct fl_admin_path *p = admin->tables[t].paths; p->path; p++) {
			fl_httpd_printf(reply, "%s", comma);
			fl_json_put(reply,
				json_pack("{s:s, s:s}", "path", p->path, "summary", p->summary),
				false);
			comma = ",";
		}
	}
	fl_httpd_printf(reply, "]}\n");
}

static void answer_healthz(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	const struct fl_admin *admin = cookie;
	uint64_t now = fl_admin_now(), start = admin->source.started_ms;

	(void)req;
	(void)rest;
	fl_json_put(reply,
		json_pack("{s:s, s:s, s:I, s:i}", "status", "ok", "version",
			admin->source.version, "uptime_ms",
			(json_int_t)(now > start ? now - start : 0), "workers",
			(int)admin->source.workers),
		false);
	fl_httpd_append(reply, "\n", 1);
}

static const struct fl_admin_path own_paths[] = {
	{"/", false, "The paths there are.", answer_index},
	{"/healthz", false, "200 while the control loop turns.", answer_healthz},
	{"/epoch", false, "Epoch and digests of every pool.", fl_admin_epoch},
	{"/pools", true, "Every pool with its nodes; /pools/NAME for one.", fl_admin_pools},
	{"/why", false, "?key=K[&pool=P]: who has a key, who would be next, and why.",
		fl_admin_why},
	{"/movement", false, "[?pool=P]: what the last change of membership moved.",
		fl_admin_movement},
	{NULL, false, NULL, NULL},
};

/* ---- who may ask ---- */

/* Takes the same time for every text of one length. */
static bool same_secret(struct fl_slice given, const char *secret)
{
	size_t n = strlen(secret);
	volatile unsigned char differs = given.n != n;

	for (size_t i = 0; i < given.n; i++)
		differs |= (unsigned char)(given.p[i] ^ secret[i % n]);
	return !differs;
}

static bool allowed(const struct fl_admin *admin, const struct fl_http1_head *head)
{
	static const struct fl_slice scheme = {"Bearer ", 7};
	struct fl_slice value = {NULL, 0};

	if (!admin->token)
		return true;
	for (size_t i = 0; i < head->header_count; i++) {
		if (!fl_slice_eq_nocase(head->headers[i].name, FL_SLICE("authorization")))
			continue;
		if (value.p)
			return false; /* two of them: whoever sent that is up to something */
		value = head->headers[i].value;
	}
	if (value.n <= scheme.n ||
		!fl_slice_eq_nocase((struct fl_slice){value.p, scheme.n}, scheme))
		return false;
	return same_secret(
		(struct fl_slice){value.p + scheme.n, value.n - scheme.n}, admin->token);
}

/* ---- which path it is ---- */

/* What of `path` stands below `row`: the empty slice with a p for the row's own path; p is NULL
 * when it is another. */
static struct fl_slice match(const struct fl_admin_path *row, struct fl_slice path)
{
	size_t n = strlen(row->path);

	if (path.n < n || memcmp(path.p, row->path, n) != 0)
		return (struct fl_slice){NULL, 0};
	path.p += n;
	path.n -= n;
	if (path.n == 0 || (row->below && path.n > 1 && path.p[0] == '/'))
		return path;
	return (struct fl_slice){NULL, 0};
}

static void answer(const struct fl_admin_table *table, const struct fl_admin_path *row,
	const struct fl_httpd_request *req, struct fl_slice below, struct fl_httpd_reply *reply)
{
	struct fl_text rest;

	if (req->method != FL_METHOD_GET && req->method != FL_METHOD_HEAD) {
		fl_httpd_field(reply, "Allow", "GET, HEAD");
		fl_admin_error(reply, 405, "this interface only reads");
		return;
	}
	if (below.n == 0) {
		row->answer(table->cookie, req, NULL, reply);
		return;
	}
	fl_text_init(&rest, 16 * 1024);
	if (!fl_percent_decode((struct fl_slice){below.p + 1, below.n - 1}, &rest) ||
		memchr(rest.p, 0, rest.n))
		fl_admin_error(reply, 400, "the path is malformed");
	else
		row->answer(table->cookie, req, rest.p, reply);
	fl_text_fini(&rest);
}

static void handle(
	void *cookie, const struct fl_httpd_request *req, struct fl_httpd_reply *reply)
{
	const struct fl_admin *admin = cookie;

	fl_httpd_type(reply, "application/json");
	fl_httpd_field(reply, "Cache-Control", "no-store");
	if (!allowed(admin, req->head)) {
		fl_httpd_field(reply, "WWW-Authenticate", "Bearer realm=\"fairlead\"");
		fl_admin_error(reply, 401, "a token is needed: Authorization: Bearer TOKEN");
		return;
	}
	for (size_t t = 0; t < admin->table_count; t++) {
		for (const struct fl_admin_path *p = admin->tables[t].paths; p->path; p++) {
			struct fl_slice below = match(p, req->path);
			if (below.p) {
				answer(&admin->tables[t], p, req, below, reply);
				return;
			}
		}
	}
	fl_admin_error(reply, 404, "no such path; / lists them");
}

/* ---- life ---- */

static void admin_free(struct fl_admin *admin)
{
	if (admin->token)
		explicit_bzero(admin->token, strlen(admin->token));
	free(admin->token);
	fl_admin_shares_fini(admin);
	free(admin);
}

int fl_admin_new(struct fl_admin **out, struct fl_loop *loop, int fd,
	const struct fl_admin_source *source)
{
	struct fl_admin *admin = calloc(1, sizeof(*admin));
	bool secret = source->token && *source->token;

	if (!admin || (secret && !(admin->token = strdup(source->token)))) {
		free(admin);
		(void)close(fd);
		return -ENOMEM;
	}
	admin->source = *source;
	admin->source.token = NULL;
	fl_admin_add(admin, own_paths, admin);
	int rc = fl_httpd_new(&admin->server, loop, fd, handle, admin, NULL);
	if (rc < 0) {
		admin_free(admin);
		return rc;
	}
	*out = admin;
	return 0;
}

void fl_admin_add(struct fl_admin *admin, const struct fl_admin_path *paths, void *cookie)
{
	FL_ASSERT(admin->table_count < sizeof(admin->tables) / sizeof(struct fl_admin_table));
	admin->tables[admin->table_count++] = (struct fl_admin_table){paths, cookie};
}

static void server_closed(void *cookie)
{
	struct fl_admin *admin = cookie;
	void (*on_closed)(void *) = admin->on_closed;
	void *closed_cookie = admin->closed_cookie;

	admin_free(admin);
	if (on_closed)
		on_closed(closed_cookie);
}

void fl_admin_close(struct fl_admin *admin, void (*on_closed)(void *cookie), void *cookie)
{
	if (!admin)
		return;
	admin->on_closed = on_closed;
	admin->closed_cookie = cookie;
	fl_httpd_close(admin->server, server_closed, admin);
}
