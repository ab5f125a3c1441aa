/* The control API: what the process knows, as JSON over HTTP, on the control loop. Read-only:
 * no path changes anything.
 *
 *   GET /              the paths there are
 *   GET /healthz       200 while the control loop turns
 *   GET /epoch         epoch and digests of every pool, small
 *   GET /pools         every pool with its nodes; /pools/NAME for one
 *   GET /why           ?key=K[&pool=P]: who has a key, who would be next, and why
 *   GET /movement      [?pool=P]: what the last change of membership moved
 *
 * HEAD works everywhere; other methods get 405. Errors are JSON too: {"error": "..."}.
 *
 * Numbers: digests and hashes are strings of 16 hexadecimal digits; times are milliseconds since
 * 1970; shares are parts of 1. Names and keys: in a query, percent-decoded ("+" is a plus). In
 * answers, the text when it is UTF-8 without NUL; else every byte that is not an unreserved ASCII character
 * as %XX, and for a key "key_form" says which ("utf-8" or "percent").
 *
 * With a token, each request needs "Authorization: Bearer TOKEN", else 401. The token is
 * compared in constant time and never written anywhere. */
#ifndef FL_ADMIN_ADMIN_H
#define FL_ADMIN_ADMIN_H

#include "httpd/httpd.h"
#include "pool/pool.h"

struct fl_admin;

/* What is served, and to whom. */
struct fl_admin_source {
	const char *token;   /* NULL or "": none is needed; copied */
	const char *version; /* of the program; must stay */
	uint64_t started_ms; /* wall-clock: since when the process runs */
	unsigned workers;    /* stats cells a node, as given to fl_pool_new */
	void *cookie;
	size_t (*count)(void *cookie); /* of pools */
	struct fl_pool *(*pool)(void *cookie, size_t i);
};

/* One path; a table of them ends with a row whose path is NULL. */
struct fl_admin_path {
	const char *path; /* "/metrics" */
	bool below;       /* also what comes after "path/" */
	const char *summary;
	/* `rest` is what came after "path/", decoded and NUL-terminated; NULL for the path
	 * itself. */
	void (*answer)(void *cookie, const struct fl_httpd_request *req, const char *rest,
		struct fl_httpd_reply *reply);
};

/* Serves on `fd`, a listening, non-blocking socket that it owns from now on, also on failure.
 * Control thread; 0 or a negative errno. */
int fl_admin_new(struct fl_admin **out, struct fl_loop *loop, int fd,
	const struct fl_admin_source *source);

/* More paths, up to 8 tables; they are looked at after the ones above. `paths` must stay. */
void fl_admin_add(struct fl_admin *admin, const struct fl_admin_path *paths, void *cookie);

/* As fl_httpd_close. */
void fl_admin_close(struct fl_admin *admin, void (*on_closed)(void *cookie), void *cookie);

/* For handlers: an error as JSON. */
__attribute__((format(printf, 3, 4))) void fl_admin_error(
	struct fl_httpd_reply *reply, int status, const char *format, ...);

#endif
