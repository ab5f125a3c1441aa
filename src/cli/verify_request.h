/* The request that asks another balancer about a key: from --url, --header and --cookie, in which
 * {key} stands for the key. */
#ifndef FL_CLI_VERIFY_REQUEST_H
#define FL_CLI_VERIFY_REQUEST_H

#include "base/error.h"
#include "base/text.h"

#define FL_VERIFY_FIELDS       32                 /* headers, and cookies */
#define FL_VERIFY_REQUEST_MOST ((size_t)64 << 10) /* bytes of a request */

struct fl_verify_request {
	char host[256], port[6];              /* where to connect: the host without brackets */
	struct fl_slice authority;            /* as the URL has it, for Host */
	struct fl_slice target;               /* begins with "/", "?" or "{raw}", or is empty */
	const char *fields[FL_VERIFY_FIELDS]; /* "Name: value" */
	size_t field_count;
	const char *cookies[FL_VERIFY_FIELDS]; /* "name=value" */
	size_t cookie_count;
};

/* These take an option's value, which is borrowed. FL_OK, or FL_EINVAL with what was expected.
 * An URL is http://HOST[:PORT][/PATH][?QUERY], or http://HOST[:PORT]{raw}. */
int fl_verify_request_url(struct fl_verify_request *r, const char *url, struct fl_error *err);
int fl_verify_request_header(
	struct fl_verify_request *r, const char *header, struct fl_error *err);
int fl_verify_request_cookie(
	struct fl_verify_request *r, const char *cookie, struct fl_error *err);

/* Whether the key is anywhere in it. */
bool fl_verify_request_has_key(const struct fl_verify_request *r);

/* Writes the request for `key` into `out` (cleared; its bound must be FL_VERIFY_REQUEST_MOST). In
 * the URL {key} is percent-encoded and {raw} is the key's own bytes; in a header and a cookie {key}
 * is the key's own bytes. NULL, or why this key cannot be sent so: a static text that goes on from
 * "the key". */
const char *fl_verify_request_write(
	const struct fl_verify_request *r, struct fl_slice key, struct fl_text *out);

#endif
