// rooms: plan key proto conf
/* The key of a request read from a log is, byte for byte, the key that the proxy makes from the
 * request itself: random requests, written as a client would send them and as nginx, Apache,
 * HAProxy and a writer of JSON would log them. */
#include "key/key.h"
#include "plan/log.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define REQUESTS 3000

static uint64_t state_of_rng = 5;

static unsigned draw(unsigned below)
{
	state_of_rng = state_of_rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state_of_rng >> 33) % below;
}

static const char *one_of(const char *const *list, unsigned n)
{
	return list[draw(n)];
}

#define ONE_OF(...)                                                                            \
	one_of((const char *const[]){__VA_ARGS__},                                             \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- a request, and its parts ---- */

struct request {
	char client[64], line[256], target[200], host[64], user[64], cookies[128];
};

static void make(struct request *r)
{
	static const char *const methods[] = {"GET", "POST", "OPTIONS", "M-SEARCH"};
	char path[100];

	(void)snprintf(r->client, sizeof(r->client), "%s",
		ONE_OF("192.0.2.77", "10.0.0.1", "::ffff:10.1.2.3", "2001:DB8:0:1:2::3", "::1",
			"255.255.255.255", "2001:db8::a:b:c:d"));
	(void)snprintf(path, sizeof(path), "%s%s%s",
		ONE_OF("/", "/a/b", "/%41%20", "/x;y=1", "/a\"b", "/a{b}", "/back\\slash"),
		draw(3) ? "?" : "",
		ONE_OF("", "id=7", "a=1&id=%20x&id=2", "id=", "xid=1&id", "id=a\"b&z",
			"q=\\x41&id=\\x22"));
	if (!strchr(path, '?'))
		path[strcspn(path, "=&")] = '\0';
	(void)snprintf(r->target, sizeof(r->target), "%s%s",
		draw(4) ? "" : ONE_OF("http://Abs.example:81", "https://abs2", "HTTP://[::1]"),
		path);
	(void)snprintf(r->line, sizeof(r->line), "%s %s HTTP/1.%u",
		one_of(methods, draw(4) + 1), r->target, draw(2));
	(void)snprintf(r->host, sizeof(r->host), "%s",
		ONE_OF("ex.Example", "ex.example:8080", "[2001:db8::1]:443", "h"));
	(void)snprintf(r->user, sizeof(r->user), "%s",
		ONE_OF("ann", "two words", "q\"uote", "back\\slash", "tab\tbed",
			"\xc3\xa9t\xe9", "br{a}ce|bar#hash", "a & b = c", "\\x41 \\n"));
	(void)snprintf(r->cookies, sizeof(r->cookies), "%s",
		ONE_OF("sid=1", "a=b; sid=x y", "sid=; sid=2", "SID=9", "a=sid=3;sid=\"q\""));
}

/* What the proxy makes of it; "" for none. */
static void from_request(
	const struct request *r, const struct fl_key_sources *sources, struct fl_text *out)
{
	static const struct fl_http1_limits limits = {8192, 32768, 100};
	static struct fl_http1_head head;
	struct fl_http1_error err;
	struct fl_addr addr;
	char text[1024];
	int n = snprintf(text, sizeof(text),
		"%s\r\nHost: %s\r\nX-User: %s\r\nCookie: %s\r\n\r\n", r->line, r->host, r->user,
		r->cookies);

	if (fl_http1_request(text, (size_t)n, &limits, &head, &err))
		fail_msg("\"%s\": %s", text, err.why);
	assert_true(fl_addr_parse_ip(&addr, r->client, strlen(r->client)));
	struct fl_key_request request = {&head, &addr};
	(void)fl_key_make(sources, &request, out);
}

/* ---- the same, logged ---- */

enum writer {
	NGINX,
	APACHE,
	HAPROXY,
	JSON,
	WRITERS
};

static void escape(struct fl_text *t, enum writer writer, const char *text)
{
	static const char *const specials[WRITERS] = {"\"\\", "\"\\", "\"#{|}", "\"\\&"};

	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = c >= 0x20 && c < 0x7f && !strchr(specials[writer], c);
		if (plain || (writer == JSON && c >= 0x80))
			fl_text_add(t, p, 1);
		else if (writer == NGINX)
			fl_text_format(t, "\\x%02X", c);
		else if (writer == APACHE && (c == '"' || c == '\\'))
			fl_text_format(t, "\\%c", c);
		else if (writer == APACHE && c == '\t')
			FL_TEXT_LITERAL(t, "\\t");
		else if (writer == APACHE)
			fl_text_format(t, "\\x%02x", c);
		else if (writer == HAPROXY)
			fl_text_format(t, "#%02X", c);
		else
			fl_text_format(t, "\\u%04x", c);
	}
}

static void write_nginx(struct fl_text *t, enum writer writer, const struct request *r)
{
	fl_text_format(t, "%s [", r->client);
	escape(t, writer, r->host);
	FL_TEXT_LITERAL(t, "] \"");
	escape(t, writer, r->line);
	FL_TEXT_LITERAL(t, "\" \"");
	escape(t, writer, r->user);
	FL_TEXT_LITERAL(t, "\" \"");
	escape(t, writer, r->cookies);
	FL_TEXT_LITERAL(t, "\"\n");
}

static void write_haproxy(struct fl_text *t, const struct request *r)
{
	fl_text_format(t,
		"%s:999 [06/Feb/2009:12:14:14.655] f b/s 1/2/3/4/5 200 9 - - ---- "
		"1/1/1/1/0 0/0 {",
		r->client);
	escape(t, HAPROXY, r->host);
	FL_TEXT_LITERAL(t, "|");
	escape(t, HAPROXY, r->user);
	FL_TEXT_LITERAL(t, "|");
	escape(t, HAPROXY, r->cookies);
	FL_TEXT_LITERAL(t, "} {} \"");
	escape(t, HAPROXY, r->line);
	FL_TEXT_LITERAL(t, "\"\n");
}

static void write_json(struct fl_text *t, const struct request *r)
{
	fl_text_format(t, "{\"remote_addr\":\"%s\",\"r\":{\"Host\":\"", r->client);
	escape(t, JSON, r->host);
	FL_TEXT_LITERAL(t, "\",\"line\": \"");
	escape(t, JSON, r->line);
	FL_TEXT_LITERAL(t, "\"},\"http_x_user\":\"");
	escape(t, JSON, r->user);
	FL_TEXT_LITERAL(t, "\",\"c\":[\"");
	escape(t, JSON, r->cookies);
	FL_TEXT_LITERAL(t, "\"]}\n");
}

static const char *const formats[WRITERS] = {
	[NGINX] = "$remote_addr [$http_host] \"$request\" \"$http_x_user\" \"$http_cookie\"",
	[APACHE] = "$remote_addr [$http_host] \"$request\" \"$http_x_user\" \"$http_cookie\"",
	[HAPROXY] = "haproxy:host,x-user,cookie",
	[JSON] = "json:http_host=r.Host,request=r.line,http_cookie=c.0",
};

static void take(void *cookie, struct fl_slice key, uint64_t weight)
{
	(void)weight;
	fl_text_slice(cookie, key);
}

static void from_log(enum writer writer, const struct request *r,
	const struct fl_key_sources *sources, struct fl_text *out)
{
	struct fl_log_options options = {
		.format = formats[writer], .sources = sources, .key = take, .cookie = out};
	struct fl_log *log = NULL;
	struct fl_error err;
	struct fl_text text;

	fl_text_init(&text, 4096);
	if (writer == HAPROXY)
		write_haproxy(&text, r);
	else if (writer == JSON)
		write_json(&text, r);
	else
		write_nginx(&text, writer, r);
	assert_int_equal(fl_log_new(&log, &options, &err), FL_OK);
	if (fl_log_feed(log, text.p, text.n, &err) != FL_OK || fl_log_end(log, &err) != FL_OK)
		fail_msg("%.*s: %s", (int)text.n, text.p, err.text);
	fl_log_free(log);
	fl_text_fini(&text);
}

/* ---- the property ---- */

static const char *const keys[] = {"client_ip", "client_ip/20", "{client_ip: {v6: 128}}",
	"path", "uri", "'query:id'", "'header:x-user'", "'cookie:sid'", "host",
	"{all: [host, path, 'query:id', client_ip]}", "['query:id', 'cookie:sid', host]"};

/* nginx writes bytes from 0x80 raw in JSON and JSON must be UTF-8: but the bytes are what counts. */
static void test_same(void **state)
{
	struct fl_text want, got;
	size_t with_key = 0;
	(void)state;
	fl_text_init(&want, 4096);
	fl_text_init(&got, 4096);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		struct fl_key_sources sources;
		struct fl_conf *conf;
		assert_int_equal(fl_key_sources_text(&conf, keys[k], &sources, NULL), FL_OK);
		for (int i = 0; i < REQUESTS / 10; i++) {
			struct request r;
			make(&r);
			fl_text_clear(&want);
			from_request(&r, &sources, &want);
			with_key += want.n > 0;
			for (int w = 0; w < WRITERS; w++) {
				fl_text_clear(&got);
				from_log((enum writer)w, &r, &sources, &got);
				if (got.n != want.n ||
					(got.n && memcmp(got.p, want.p, got.n) != 0))
					fail_msg("%s, %s, %s: \"%.*s\", not \"%.*s\"", keys[k],
						formats[w], r.line, (int)got.n, got.p,
						(int)want.n, want.p);
			}
		}
		fl_conf_free(conf);
	}
	assert_true(with_key > REQUESTS / 2);
	fl_text_fini(&want);
	fl_text_fini(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
