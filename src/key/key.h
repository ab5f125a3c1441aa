/* A request's key: the first source of the pool's list that gives a value.
 *
 * Key bytes are part of the mapping, so that `lookup`, the proxy, its peers and a plan from an
 * access log hash the same: client_ip is the canonical text of the masked address; header,
 * cookie, query, path, uri and host are raw bytes, not decoded (uri is the request target as it was
 * received, the query included; host in lower case, without its port; of a repeated header or
 * cookie the first); `all` is each part behind its length (4 bytes,
 * little-endian), and gives a value only when every part does. An empty value is no value. */
#ifndef FL_KEY_KEY_H
#define FL_KEY_KEY_H

#include "base/text.h"
#include "key/source.h"
#include "net/addr.h"
#include "proto/http1.h"

struct fl_key_request {
	const struct fl_http1_head *head;
	const struct fl_addr *client;
};

/* Appends the key's bytes to `out`. Returns the source that gave them (borrowed from
 * `sources`), or NULL: no source had a value, and `out` is as before. O(headers). */
const struct fl_key_source *fl_key_make(const struct fl_key_sources *sources,
	const struct fl_key_request *request, struct fl_text *out);

/* ---- the same for who has something else than a parsed head ---- */

/* Appends the value of `source`, which is never `all`; whether there is one. */
typedef bool fl_key_value(
	void *cookie, const struct fl_key_source *source, struct fl_text *out);

/* As fl_key_make, with values from `value`. */
const struct fl_key_source *fl_key_make_from(const struct fl_key_sources *sources,
	fl_key_value *value, void *cookie, struct fl_text *out);

/* Of "a=1; b=2" (separator ';') or "a=1&b=2" ('&') the value of `name`; p is NULL when it is not
 * there. */
struct fl_slice fl_key_pair(struct fl_slice text, char separator, struct fl_slice name);

/* Append a host (without its port) and a client's address as key bytes; whether there were any. */
bool fl_key_add_host(struct fl_slice host, struct fl_text *out);
bool fl_key_add_client(
	const struct fl_key_source *source, const struct fl_addr *client, struct fl_text *out);

#endif
