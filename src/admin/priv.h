/* What the files of admin/ share. */
#ifndef FL_ADMIN_PRIV_H
#define FL_ADMIN_PRIV_H

#include "admin/admin.h"
#include "base/text.h"

#include <jansson.h>

struct fl_admin_table {
	const struct fl_admin_path *paths;
	void *cookie;
};

/* Shares are costly, and change only with the placement. */
struct fl_admin_shares {
	fl_placement *placement;
	size_t samples; /* 0: exact */
	double *shares; /* by slot */
};

struct fl_admin {
	struct fl_httpd *server;
	struct fl_admin_source source;
	char *token;
	struct fl_admin_table tables[9];
	size_t table_count;
	struct fl_admin_shares *shares;
	size_t share_count, share_room;
	void (*on_closed)(void *cookie);
	void *closed_cookie;
};

/* ---- admin.c ---- */

/* The pool of that name, or NULL. */
struct fl_pool *fl_admin_pool(const struct fl_admin *admin, struct fl_slice name);
uint64_t fl_admin_now(void); /* wall-clock, ms */

/* ---- query.c ---- */

struct fl_param {
	const char *name;
	bool given;
	struct fl_text value; /* decoded; NUL-terminated, the NUL not counted */
};

/* Takes `query` apart into params[0..count), which the caller zeroed but for their names. What
 * is malformed, unknown or there twice is answered with 400: then false. The values are to be
 * freed with fl_query_fini in any case. */
bool fl_query_read(struct fl_slice query, struct fl_param *params, size_t count,
	struct fl_httpd_reply *reply);
void fl_query_fini(struct fl_param *params, size_t count);

/* Appends `in`, decoded, and a NUL that does not count. False: a '%' without two digits. */
bool fl_percent_decode(struct fl_slice in, struct fl_text *out);

/* ---- json.c ---- */

/* The bytes as a JSON string: as they are when they are UTF-8 without NUL, else percent-encoded. *form
 * (may be NULL) is "utf-8" or "percent". NULL without memory. */
json_t *fl_json_bytes(const char *p, size_t n, const char **form);
json_t *fl_json_text(const char *s); /* the same of a string; JSON null for NULL */
json_t *fl_json_hex(uint64_t value);

/* Appends `value` (stolen) to the reply; without its outer brackets when `bare`. NULL makes the
 * reply a 500: it is what jansson gives without memory. */
void fl_json_put(struct fl_httpd_reply *reply, json_t *value, bool bare);

/* ---- shares.c ---- */

/* The shares of a placement by slot, or NULL without memory; borrowed until the next call. */
const struct fl_admin_shares *fl_admin_shares(struct fl_admin *admin, fl_placement *placement);
void fl_admin_shares_fini(struct fl_admin *admin);

/* ---- the paths: pools.c, why.c, movement.c ---- */

void fl_admin_pools(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply);
void fl_admin_epoch(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply);
void fl_admin_why(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply);
void fl_admin_movement(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply);

#endif
