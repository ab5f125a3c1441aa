/* Access logs: bytes in, keys out, no I/O.
 *
 * A log is fed in pieces of any size, cut anywhere, plain or compressed with gzip (told by its
 * first bytes, several members included), and gives one key for each line that has one: the very
 * bytes that the proxy would have hashed for that request, made by the same code (key/key.h).
 *
 * Formats
 *   common, combined   Apache's and nginx's; text behind the last field does not matter
 *   vhost              Debian's vhost_combined for Apache: host:port before combined
 *   haproxy[:H1,H2]    `option httplog`, with or without what syslog puts before it. H1, H2 name the
 *                      captured request headers in order, as the log does not
 *   json[:VAR=PATH,..] one object a line. Its fields are called as nginx's variables are (a field
 *                      "remote_addr" is $remote_addr); PATH (dotted) says where they are not
 *   keys               each line is a key, byte for byte
 *   $...               a format of nginx: any text with variables, such as
 *                      '$remote_addr "$request" $http_x_user'; may begin with escape=json,
 *                      escape=none or escape=default and a blank
 *   auto               the first of these that fits the first lines
 *
 * Where sources of keys are found: client_ip in $remote_addr; path in $request or $request_uri;
 * query in those, $args, $query_string or $arg_NAME; header:NAME in $http_NAME; cookie:NAME in
 * $cookie_NAME or $http_cookie (HAProxy: the captured cookie); host in an absolute target,
 * $http_host or $host. "-" alone is no value. Escaped bytes (\x22, \", #22) are turned back. */
#ifndef FL_PLAN_LOG_H
#define FL_PLAN_LOG_H

#include "base/error.h"
#include "base/slice.h"
#include "key/source.h"

#include <stdint.h>

#define FL_LOG_LINE     (64u << 10) /* bytes of a line; longer ones are skipped and counted */
#define FL_LOG_BAD_KEPT 5           /* lines that are remembered with what is wrong with them */

struct fl_log;

struct fl_log_options {
	const char *format; /* as above; NULL: auto */
	/* Where the key comes from: the first source that gives a value. A format must be able to
	 * give each of them. NULL: client_ip. Does not matter for `keys`. */
	const struct fl_key_sources *sources;
	/* Instead of `sources`: the value of this variable ("upstream_addr", "http_x_user"; of json
	 * the dotted path "user.id") is the key, byte for byte. NULL: none. */
	const char *field;
	/* Weigh a request with the bytes of its answer ($body_bytes_sent or $bytes_sent), not with
	 * 1. */
	bool bytes;
	/* One key, borrowed during the call. `weight` may be 0 with `bytes`. */
	void (*key)(void *cookie, struct fl_slice key, uint64_t weight);
	void *cookie;
};

struct fl_log_bad {
	uint64_t input, line; /* from 1 */
	const char *why;      /* static text */
};

struct fl_log_stats {
	uint64_t bytes;    /* of the log, unpacked */
	uint64_t lines;    /* all of them, empty ones included */
	uint64_t keys;     /* calls of `key` */
	uint64_t empty;    /* lines */
	uint64_t bad;      /* lines that are not of the format, or too long */
	uint64_t no_value; /* lines of the format in which no source gave a value */
	struct fl_log_bad first[FL_LOG_BAD_KEPT]; /* the first bad ones */
	const char
		*format; /* the one in force: "combined", ..; "nginx" for a `$...`; "auto" until
			     * it is found */
};

/* Options are copied, but `sources` is borrowed for the log's life. FL_EINVAL with a text: an
 * unknown format or variable, a source that the format cannot give. FL_ENOMEM. */
int fl_log_new(struct fl_log **out, const struct fl_log_options *options, struct fl_error *err);
void fl_log_free(struct fl_log *log); /* NULL is fine */

/* Takes the next piece of the log. FL_EINVAL with a text: the format was not recognised (the text
 * says what was tried), it cannot give a source, or the gzip data are broken; feed no more then.
 * O(n), no allocation a line. */
int fl_log_feed(struct fl_log *log, const char *p, size_t n, struct fl_error *err);

/* The input ends: its last line may lack its newline. What is fed next is the beginning of another
 * input of the same format. FL_EINVAL as for feed, for gzip data that are cut, and when not one
 * line of all inputs so far was of the format though there were lines. */
int fl_log_end(struct fl_log *log, struct fl_error *err);

/* Borrowed; counts up to the last feed or end. */
const struct fl_log_stats *fl_log_stats(const struct fl_log *log);

#endif
