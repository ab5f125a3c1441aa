/* A request's key: the first source of the pool's list that gives a value.
 *
 * Key bytes are part of the mapping, so that `lookup`, the proxy and its peers hash the same:
 * client_ip is the canonical text of the masked address; header, cookie, query, path and host
 * are raw bytes, not decoded (host in lower case, without its port; of a repeated header or
 * cookie the first); `all` is each part behind its length (4 bytes, little-endian), and gives a
 * value only when every part does. An empty value is no value. */
#ifndef FL_PROXY_KEY_H
#define FL_PROXY_KEY_H

#include "base/text.h"
#include "net/addr.h"
#include "proto/http1.h"
#include "proxy/options.h"

struct fl_key_request {
	const struct fl_http1_head *head;
	const struct fl_addr *client;
};

/* Appends the key's bytes to `out`. Returns the source that gave them (borrowed from
 * `sources`), or NULL: no source had a value, and `out` is as before. O(headers). */
const struct fl_key_source *fl_key_make(const struct fl_key_sources *sources,
	const struct fl_key_request *request, struct fl_text *out);

#endif
