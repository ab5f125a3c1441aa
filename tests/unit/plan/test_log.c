/* The log reader: each format with lines as servers write them, what a line without a key is
 * counted as, that pieces may be cut anywhere, and what users are told about a log that does not
 * fit. */
#include "plan/log.h"

#include "base/text.h"
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

/* ---- reading a text ---- */

static struct fl_text got; /* keys, each with its weight unless that is 1, and a newline */
static struct fl_log_stats stats;
static struct fl_error error;

static void take(void *cookie, struct fl_slice key, uint64_t weight)
{
	(void)cookie;
	fl_text_slice(&got, key);
	if (weight != 1)
		fl_text_format(&got, "*%llu", (unsigned long long)weight);
	FL_TEXT_LITERAL(&got, "\n");
}

struct how {
	const char *format, *key, *field;
	bool bytes;
	size_t piece; /* bytes; 0: all at once */
};

static int feed(struct fl_log *log, const char *p, size_t n, size_t piece)
{
	int rc = FL_OK;

	for (size_t at = 0; at < n && rc == FL_OK; at += piece) {
		size_t left = n - at, some = piece < left ? piece : left;
		/* Behind a piece of its own, so that reading beyond it is seen. */
		char *copy = malloc(some);
		assert_non_null(copy);
		memcpy(copy, p + at, some);
		rc = fl_log_feed(log, copy, some, &error);
		free(copy);
	}
	return rc;
}

/* What comes out, or NULL with `error`. */
static const char *read_bytes(struct how how, const char *p, size_t n)
{
	struct fl_key_sources sources = {0};
	struct fl_conf *conf = NULL;
	struct fl_log *log = NULL;
	int rc = FL_OK;

	fl_text_clear(&got);
	memset(&error, 0, sizeof(error));
	if (how.key)
		assert_int_equal(fl_key_sources_text(&conf, how.key, &sources, &error), FL_OK);
	struct fl_log_options options = {
		.format = how.format,
		.sources = how.key ? &sources : NULL,
		.field = how.field,
		.bytes = how.bytes,
		.key = take,
	};
	rc = fl_log_new(&log, &options, &error);
	if (rc == FL_OK)
		rc = feed(log, p, n, how.piece ? how.piece : n + 1);
	if (rc == FL_OK)
		rc = fl_log_end(log, &error);
	if (log)
		stats = *fl_log_stats(log);
	fl_log_free(log);
	fl_conf_free(conf);
	fl_text_add(&got, "", 1);
	assert_false(got.failed);
	if (rc != FL_OK)
		assert_true(error.code == rc && error.text[0]);
	return rc == FL_OK ? got.p : NULL;
}

static const char *read_text(struct how how, const char *text)
{
	return read_bytes(how, text, strlen(text));
}

static void expect(struct how how, const char *text, const char *keys)
{
	static const size_t pieces[] = {0, 1, 7, 64};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		how.piece = pieces[i];
		const char *out = read_text(how, text);
		if (!out || strcmp(out, keys) != 0)
			fail_msg("%s, %s, pieces of %zu: \"%s\" gives \"%s\" (%s)",
				how.format ? how.format : "auto", how.key ? how.key : "-",
				how.piece, text, out ? out : "-", error.text);
	}
}

/* The error has this text in it. */
static void refuse(struct how how, const char *text, const char *why)
{
	const char *out = read_text(how, text);

	if (out || !strstr(error.text, why))
		fail_msg("\"%s\" is not refused with \"%s\": %s", text, why, error.text);
}

#define DATE "[10/Oct/2000:13:55:36 -0700]"

/* ---- common and combined ---- */

static void test_combined(void **state)
{
	static const char log[] =
		"192.0.2.1 - - " DATE " \"GET /a?x=1&id=7 HTTP/1.1\" 200 2326 "
		"\"http://ex.example/\" \"Mozilla/5.0 (X11; \\\"quoted\\\") [x] \\x22y\\x22\"\n"
		"2001:DB8::0:7 - john doe " DATE " \"POST /b HTTP/2.0\" 201 - \"-\" \"-\"\r\n"
		"\n"
		"::ffff:192.0.2.2 - - " DATE
		" \"GET /old\" 200 5 \"-\" \"curl/7.88\" extra \"9\"\n"
		"192.0.2.3 - - " DATE " \"\\x16\\x03\\x01\" 400 150 \"-\" \"-\"\n"
		"192.0.2.4 - - " DATE " \"-\" 408 0 \"-\" \"-\"\n"
		"192.0.2.5 - - " DATE
		" \"GET http://Ex.example:8080/p?q HTTP/1.1\" 200 1 \"-\" \"u\"";
	(void)state;
	expect((struct how){"combined", .key = NULL}, log,
		"192.0.2.1\n2001:db8::\n192.0.2.2\n192.0.2.3\n192.0.2.4\n192.0.2.5\n");
	assert_int_equal(stats.lines, 7);
	assert_int_equal(stats.empty, 1);
	assert_int_equal(stats.keys, 6);
	assert_int_equal(stats.bad, 0);
	expect((struct how){"combined", .key = "{client_ip: {v4: 24, v6: 128}}"}, log,
		"192.0.2.0\n2001:db8::7\n192.0.2.0\n192.0.2.0\n192.0.2.0\n192.0.2.0\n");
	expect((struct how){"combined", .key = "path"}, log, "/a\n/b\n/old\n/p\n");
	assert_int_equal(stats.no_value, 2);
	expect((struct how){"combined", .key = "uri"}, log,
		"/a?x=1&id=7\n/b\n/old\nhttp://Ex.example:8080/p?q\n");
	expect((struct how){"combined", .key = "'query:id'"}, log, "7\n");
	expect((struct how){"combined", .key = "['query:id', path]"}, log, "7\n/b\n/old\n/p\n");
	expect((struct how){"combined", .key = "'header:User-Agent'"}, log,
		"Mozilla/5.0 (X11; \"quoted\") [x] \"y\"\ncurl/7.88\nu\n");
	expect((struct how){"combined", .key = "'header:referer'"}, log,
		"http://ex.example/\n");
	expect((struct how){"combined", .field = "remote_user"}, log, "john doe\n");
	expect((struct how){"combined", .field = "$status"}, log,
		"200\n201\n200\n400\n408\n200\n");
	expect((struct how){"combined", .key = "path", .bytes = true}, log,
		"/a*2326\n/b*0\n/old*5\n/p\n");
	/* The same text is common too, and is found to be combined. */
	expect((struct how){"common", .key = "path"}, log, "/a\n/b\n/old\n/p\n");
	expect((struct how){NULL, .key = "path"}, log, "/a\n/b\n/old\n/p\n");
	assert_string_equal(stats.format, "combined");
	expect((struct how){"auto", .key = "path"},
		"192.0.2.1 - - " DATE " \"GET /a HTTP/1.1\" 200 2326\n", "/a\n");
	assert_string_equal(stats.format, "common");
	expect((struct how){NULL, .key = "path"},
		"ex.example:443 192.0.2.1 - - " DATE " \"GET /a HTTP/1.1\" 200 1 \"-\" \"-\"\n",
		"/a\n");
	assert_string_equal(stats.format, "vhost");
}

static void test_all(void **state)
{
	static const char log[] =
		"192.0.2.1 - - " DATE " \"GET /a?x=1 HTTP/1.1\" 200 2 \"-\" \"-\"\n";
	static const char key[] = "\2\0\0\0/a\1\0\0\0001\n";
	(void)state;
	assert_non_null(
		read_text((struct how){"combined", .key = "{all: [path, 'query:x']}"}, log));
	assert_int_equal(got.n, sizeof(key));
	assert_memory_equal(got.p, key, sizeof(key));
	expect((struct how){"combined", .key = "[{all: [path, 'query:y']}, client_ip]"}, log,
		"192.0.2.1\n");
}

/* ---- nginx's own formats ---- */

static void test_nginx(void **state)
{
	static const char format[] =
		"$remote_addr|${host}|$request_uri|$cookie_sid|$http_x_user|$args";
	static const char log[] = "192.0.2.1|ex.Example|/a/b?c=d|s1|-|c=d\n"
				  "-|other|/|-|A\\x22\\xC3\\xA9\\|-\n"
				  "only|three|fields\n";
	(void)state;
	expect((struct how){format, .key = "host"}, log, "ex.example\nother\n");
	assert_int_equal(stats.bad, 1);
	assert_int_equal(stats.first[0].line, 3);
	assert_int_equal(stats.first[0].input, 1);
	assert_string_equal(stats.format, "nginx");
	expect((struct how){format, .key = "'cookie:SID'"}, log, "s1\n");
	expect((struct how){format, .key = "path"}, log, "/a/b\n/\n");
	expect((struct how){format, .key = "'query:c'"}, log, "d\n");
	expect((struct how){format, .key = "'header:X-User'"}, log, "A\"\xc3\xa9\\\n");
	expect((struct how){"$http_cookie", .key = "'cookie:b'"}, "a=1; b=2\na=1\nb=3",
		"2\n3\n");
	expect((struct how){"[$http_host] x", .key = "host"},
		"[A.b:80] x\n[::1] x\n[a b] x\n[c] xy\n[[::1]:8] x\n", "a.b\n[::1]\n");
	assert_int_equal(stats.bad, 1);
	assert_int_equal(stats.no_value, 2);
	/* An absolute target goes before Host, as in the proxy. */
	expect((struct how){"$http_host $request", .key = "host"},
		"a GET http://b/ HTTP/1.1\na GET / HTTP/1.1\n", "b\na\n");
	expect((struct how){"escape=json {\"u\":\"$http_x_user\"}", .key = "'header:x-user'"},
		"{\"u\":\"a\\\"\\u00e9b\"}\n{\"u\":\"\\ud83d\"}\n{\"u\":\"\"}\n",
		"a\"\xc3\xa9"
		"b\n");
	assert_int_equal(stats.bad, 1);
	assert_int_equal(stats.no_value, 1);
	expect((struct how){"escape=none \"$http_x_user\"", .key = "'header:x-user'"},
		"\"a\\x22\\\"\n", "a\\x22\\\n");
	refuse((struct how){"$a$b", .field = "a"}, "", "nothing tells where $a ends");
	refuse((struct how){"${a", .field = "a"}, "", "wants the name of a variable");
	refuse((struct how){"$a $", .field = "a"}, "", "wants the name of a variable");
	refuse((struct how){"$a", .key = "client_ip"}, "", "no $remote_addr");
	refuse((struct how){"$request", .key = "host"}, "", "host cannot be told");
	refuse((struct how){"$remote_addr", .bytes = true}, "",
		"$body_bytes_sent or $bytes_sent");
}

/* ---- HAProxy ---- */

#define HADATE "[06/Feb/2009:12:14:14.655]"
#define HAMID  " http-in static/srv1 10/0/30/69/109 200 2750 "

static void test_haproxy(void **state)
{
	static const char log[] =
		"Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 " HADATE HAMID
		"sid=abc - ---- 1/1/1/1/0 0/0 {1wt.eu|Ann #22x#22} {} "
		"\"GET /index.html?a=#23 HTTP/1.1\"\n"
		"2001:db8::9:33318 " HADATE HAMID "- - ---- 1/1/1/1/0 0/0 "
		"\"GET https://H.example/h2 HTTP/2.0\" 0/0/0/0/0 ssl\n"
		"<134>1 2026-11-21T04:13:45.123456+00:00 host haproxy 14389 - - "
		"10.0.1.3:1 " HADATE " in in/<NOSRV> -1/-1/-1/-1/+0 400 187 - - PR-- 1/1/0/0/0 "
		"0/0 {|} \"<BADREQ>\"\n"
		"10.0.1.4:5 " HADATE HAMID "- - ---- 1/1/1/1/0 0/0 \"GET /cut";
	static const char tcp[] =
		"Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 " HADATE
		" fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0\n";
	(void)state;
	expect((struct how){"haproxy", .key = NULL}, log, "10.0.1.2\n2001:db8::\n10.0.1.3\n");
	assert_int_equal(stats.bad, 1);
	assert_non_null(strstr(stats.first[0].why, "has no end"));
	expect((struct how){NULL, .key = "path"}, log, "/index.html\n/h2\n");
	assert_string_equal(stats.format, "haproxy");
	expect((struct how){"haproxy", .key = "'query:a'"}, log, "#\n");
	expect((struct how){"haproxy", .key = "'cookie:sid'"}, log, "abc\n");
	expect((struct how){"haproxy:Host,x-user", .key = "'header:X-User'"}, log,
		"Ann \"x\"\n");
	expect((struct how){"haproxy:Host,x-user", .key = "host"}, log, "1wt.eu\nh.example\n");
	expect((struct how){"haproxy", .key = "path", .bytes = true}, log,
		"/index.html*2750\n/h2*2750\n");
	expect((struct how){"haproxy", .key = NULL},
		"tag[06/Feb/2009:x] 10.0.1.9:7 " HADATE HAMID "- - ---- 1/1/1/1/0 0/0 \"-\"\n",
		"10.0.1.9\n");
	refuse((struct how){"haproxy", .key = NULL}, HADATE HAMID, "no date");
	refuse((struct how){"haproxy", .key = NULL}, tcp, "option tcplog");
	refuse((struct how){NULL, .key = NULL}, tcp, "option tcplog");
	refuse((struct how){"haproxy", .key = "'header:x-user'"}, log, "haproxy:x-user,");
	refuse((struct how){"haproxy:,x", .key = NULL}, log, "captured headers");
}

/* ---- JSON ---- */

static void test_json(void **state)
{
	static const char log[] =
		"{\"remote_addr\":\"192.0.2.9\",\"uri\":\"\\/a\\u0026b?x=1\\u0026y=2\","
		"\"n\":{\"id\":-1.5e+3,\"list\":[true,{\"k\":\"v\\ud83d\\ude00\"},null]},"
		"\"user.id\":\"flat\"}\n"
		" { \"remote_addr\" : null , \"n\" : [ ] , \"remote_addr\" : \"192.0.2.8\" } "
		"\r\n"
		"{}\n"
		"{\"remote_addr\":\"x\",}\n"
		"{\"remote_addr\":\"192.0.2.7\"} x\n"
		"{\"remote_addr\":\"192.0.2.6\",\"n\":{\"id\":01}}\n"
		"{\"remote_addr\":\"\\x\"}\n"
		"{\"remote_addr\":\"a\tb\"}\n"
		"{\"remote_addr\":\"a";
	(void)state;
	expect((struct how){"json", .key = NULL}, log, "192.0.2.9\n192.0.2.8\n");
	assert_int_equal(stats.bad, 6);
	assert_int_equal(stats.no_value, 1);
	expect((struct how){"json:request_uri=uri", .key = "path"}, log, "/a&b\n");
	expect((struct how){"json:request_uri=uri,x=y", .key = "'query:y'"}, log, "2\n");
	expect((struct how){"json", .field = "n.id"}, log, "-1.5e+3\n");
	expect((struct how){"json", .field = "n.list.0"}, log, "true\n");
	expect((struct how){"json", .field = "n.list.1.k"}, log, "v\xf0\x9f\x98\x80\n");
	expect((struct how){"json", .field = "n.list.2"}, log, "");
	expect((struct how){"json", .field = "n.list"}, log, "");
	expect((struct how){"json", .field = "user.id"}, log, "flat\n");
	expect((struct how){NULL, .key = NULL}, "{\"remote_addr\":\"::1\"}", "::\n");
	assert_string_equal(stats.format, "json");
	refuse((struct how){"json:x", .key = NULL}, log, "VARIABLE=PATH");
	refuse((struct how){"json", .key = NULL}, "[1]\n", "not a JSON object");
}

#define LONG_TEXT                                                                              \
	"\x7f !#[]~\x80\xff\xa2\xdc][#! \xdc"                                                  \
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzz"

static void test_json_depth(void **state)
{
	char line[512] = "{\"a\":";
	size_t n = strlen(line);
	(void)state;
	memset(line + n, '[', 63);
	memset(line + n + 63, ']', 63);
	(void)snprintf(line + n + 126, sizeof(line) - n - 126, ",\"k\":1}\n");
	expect((struct how){"json", .field = "k"}, line, "1\n");
	memset(line + n, '[', 64);
	memset(line + n + 64, ']', 64);
	(void)snprintf(line + n + 128, sizeof(line) - n - 128, ",\"k\":1}\n");
	refuse((struct how){"json", .field = "k"}, line, "nested too deep");
	/* What counts is how deep, not how many. */
	for (size_t i = 0; i < 100; i++)
		memcpy(line + n + 3 * i, i ? ",[]" : "[[]", 3);
	(void)snprintf(line + n + 300, sizeof(line) - n - 300, "],\"k\":1}\n");
	expect((struct how){"json", .field = "k"}, line, "1\n");
}

/* Strings are looked at eight bytes at a time: what ends or breaks them is found in any place. */
static void test_json_strings(void **state)
{
	char line[128], want[64];
	(void)state;
	for (int n = 0; n < 40; n++) {
		(void)snprintf(line, sizeof(line), "{\"k\":\"%.*s\"}", n, LONG_TEXT);
		(void)snprintf(want, sizeof(want), "%.*s%s", n, LONG_TEXT, n ? "\n" : "");
		expect((struct how){"json", .field = "k"}, line, want);
		(void)snprintf(
			line, sizeof(line), "{\"k\":\"%.*s\x1f" LONG_TEXT "\"}", n, LONG_TEXT);
		refuse((struct how){"json", .field = "k"}, line, "control character");
		(void)snprintf(
			line, sizeof(line), "{\"k\":\"%.*s\\q" LONG_TEXT "\"}", n, LONG_TEXT);
		refuse((struct how){"json", .field = "k"}, line, "bad escape");
	}
}

/* ---- keys, bounds, bytes ---- */

static void test_keys(void **state)
{
	static const char nul[] = "a\0b\nc";
	(void)state;
	expect((struct how){"keys", .key = NULL}, "one\r\n\ntwo words\n-",
		"one\ntwo words\n-\n");
	assert_int_equal(stats.empty, 1);
	expect((struct how){NULL, .key = NULL}, "one\ntwo\n", "one\ntwo\n");
	assert_string_equal(stats.format, "keys");
	assert_non_null(read_bytes((struct how){"keys", .key = NULL}, nul, sizeof(nul) - 1));
	assert_int_equal(got.n, 7);
	assert_memory_equal(got.p, "a\0b\nc\n", 7);
	refuse((struct how){"keys", .field = "x"}, "a\n", "no fields");
}

static void test_long_lines(void **state)
{
	size_t most = FL_LOG_LINE, n = 0;
	char *text = malloc(4 * most);
	(void)state;
	assert_non_null(text);
	/* Just short enough, one too long, far too long, and one behind them. */
	memset(text, 'a', 4 * most);
	n = most;
	memcpy(text + n, "\r\n", 2);
	n += 2 + most + 1;
	text[n++] = '\n';
	n += most + most / 2;
	text[n++] = '\n';
	text[n++] = 'b';
	for (size_t piece = 0; piece < 100000; piece = piece * 9 + 4096) {
		assert_non_null(read_bytes((struct how){"keys", .piece = piece}, text, n));
		assert_int_equal(stats.keys, 2);
		assert_int_equal(stats.bad, 2);
		assert_int_equal(stats.first[1].line, 3);
		assert_string_equal(stats.first[0].why, "longer than 64 KiB");
		assert_int_equal(got.n, most + 1 + 2 + 1);
	}
	/* Empty lines say nothing of the format, however many. */
	memset(text, '\n', 4 * most);
	memcpy(text + 4 * most - 4, "a\nb", 3);
	assert_non_null(read_bytes((struct how){NULL, .piece = 50000}, text, 4 * most));
	assert_int_equal(stats.keys, 2);
	assert_int_equal(stats.lines, 4 * most - 2);
	/* Nothing but one endless line. */
	memset(text, 'a', 4 * most);
	assert_null(read_bytes((struct how){NULL, .piece = 1000}, text, most + 100));
	assert_null(read_bytes((struct how){"keys", .piece = 1000}, text, most + 100));
	free(text);
}

static void test_unknown(void **state)
{
	(void)state;
	refuse((struct how){NULL, .key = NULL}, "what is this\nand that\n", "combined: ");
	refuse((struct how){NULL, .key = NULL}, "what is this", "json: not a JSON object");
	refuse((struct how){"apache", .key = NULL}, "", "there are auto, common");
	refuse((struct how){"common:x", .key = NULL}, "", "there are auto, common");
	refuse((struct how){"combined", .key = NULL}, "x\n\ny\n", "not one of 2 lines");
	refuse((struct how){"combined", .key = "'cookie:sid'"}, "",
		"cookie:sid cannot be told from this log: its format (combined) has no "
		"$cookie_sid "
		"or $http_cookie");
	expect((struct how){NULL, .key = NULL}, "", "");
	expect((struct how){NULL, .key = NULL}, "\n\r\n\n", "");
	assert_int_equal(stats.lines, 3);
	expect((struct how){NULL, .key = NULL}, "\n\r", "");
	assert_int_equal(stats.empty, 2);
	expect((struct how){NULL, .key = NULL}, "x", "x\n");
}

/* More first lines than are tried, most of them good. */
static void test_decides_by_many(void **state)
{
	struct fl_text log;
	(void)state;
	fl_text_init(&log, 100000);
	FL_TEXT_LITERAL(&log, "logrotate was here\n\n");
	for (int i = 0; i < 100; i++)
		fl_text_format(&log, "10.0.0.%d - - " DATE " \"GET / HTTP/1.1\" 200 1\n", i);
	for (size_t piece = 1; piece < 2000; piece = piece * 3 + 1) {
		assert_non_null(read_bytes((struct how){NULL, .piece = piece}, log.p, log.n));
		assert_int_equal(stats.keys, 100);
		assert_int_equal(stats.bad, 1);
		assert_int_equal(stats.lines, 102);
		assert_int_equal(stats.bytes, log.n);
		assert_int_equal(stats.first[0].line, 1);
	}
	fl_text_fini(&log);
}

/* ---- gzip ---- */

static size_t pack(const char *text, char *out, size_t room)
{
	z_stream z = {0};

	assert_int_equal(
		deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (unsigned)strlen(text);
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return room - z.avail_out;
}

static void test_gzip(void **state)
{
	static char packed[4096];
	size_t n = pack("one\ntw", packed, sizeof(packed)), first = n;
	struct how keys = {"keys", .key = NULL};
	(void)state;
	n += pack("o\nthree", packed + n, sizeof(packed) - n);
	memset(packed + n, 0, 100);
	for (keys.piece = 1; keys.piece <= n + 100; keys.piece++) {
		assert_non_null(read_bytes(keys, packed, n + 100));
		assert_string_equal(got.p, "one\ntwo\nthree\n");
		assert_int_equal(stats.bytes, 13);
	}
	keys.piece = 5;
	assert_null(read_bytes(keys, packed, n - 1));
	assert_non_null(strstr(error.text, "end too early"));
	memcpy(packed + first, "rubbish", 7);
	assert_null(read_bytes(keys, packed, n));
	assert_non_null(strstr(error.text, "broken"));
	/* The first byte of the magic number alone is a line like others. */
	assert_non_null(read_text((struct how){"keys", .piece = 1}, "\x1f"));
	assert_string_equal(got.p, "\x1f\n");
}

/* Several inputs, of which the second is packed: one format, lines counted anew. */
static void test_inputs(void **state)
{
	static char packed[4096];
	size_t n = pack(
		"10.0.0.2 - - " DATE " \"GET / HTTP/1.1\" 200 1\nbad", packed, sizeof(packed));
	static const char plain[] = "10.0.0.1 - - " DATE " \"GET / HTTP/1.1\" 200 1\n";
	struct fl_log_options options = {.key = take};
	struct fl_log *log;
	(void)state;
	fl_text_clear(&got);
	assert_int_equal(fl_log_new(&log, &options, &error), FL_OK);
	assert_int_equal(fl_log_feed(log, plain, strlen(plain), &error), FL_OK);
	assert_string_equal(fl_log_stats(log)->format, "auto");
	assert_int_equal(fl_log_end(log, &error), FL_OK);
	assert_int_equal(fl_log_feed(log, packed, n, &error), FL_OK);
	assert_int_equal(fl_log_end(log, &error), FL_OK);
	assert_int_equal(fl_log_feed(log, plain, strlen(plain), &error), FL_OK);
	assert_int_equal(fl_log_end(log, &error), FL_OK);
	assert_int_equal(fl_log_stats(log)->keys, 3);
	assert_int_equal(fl_log_stats(log)->first[0].input, 2);
	assert_int_equal(fl_log_stats(log)->first[0].line, 2);
	fl_log_free(log);
	fl_log_free(NULL);
}

static int begin(void **state)
{
	(void)state;
	fl_text_init(&got, 1 << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fl_text_fini(&got);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_combined),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_nginx),
		cmocka_unit_test(test_haproxy),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_depth),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_decides_by_many),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_inputs),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
