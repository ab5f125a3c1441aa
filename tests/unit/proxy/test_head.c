/* Heads as the proxy writes them. What it writes must parse, and mean what came in. */
#include "bytes.h"

#include "proxy/head.h"

static struct fl_text out;

static const char *request(const char *text, bool upgrade)
{
	static struct fl_http1_head head, again;
	parse_request(&head, text);
	fl_text_clear(&out);
	fl_head_request(&out, &head, FL_SLICE("192.0.2.1"), FL_SLICE("pool"), upgrade);
	fl_text_add(&out, "", 1);
	assert_false(out.failed);
	parse_request(&again, out.p);
	assert_int_equal(again.framing, head.framing);
	assert_int_equal(again.length, head.length);
	assert_int_equal(again.method, head.method);
	return out.p;
}

static const char *answer(const char *text, struct fl_head_answer how)
{
	static struct fl_http1_head head, again;
	parse_response(&head, text, FL_METHOD_GET);
	fl_text_clear(&out);
	struct fl_slice raw = {text, strlen(text)};
	struct fl_slice quick = fl_head_answer(&out, &head, raw, &how);
	/* What goes out as it came is not written. */
	assert_true(quick.p == text ? out.n == 0 : quick.p == out.p && quick.n == out.n);
	char *copy = strndup(quick.p, quick.n);
	assert_non_null(copy);
	fl_text_clear(&out);
	struct fl_slice written = fl_head_answer(&out, &head, (struct fl_slice){NULL, 0}, &how);
	assert_true(written.p == out.p && fl_slice_eq(written, fl_slice_of(copy)));
	assert_true((quick.p == text) == (strcmp(copy, text) == 0));
	free(copy);
	fl_text_add(&out, "", 1);
	assert_false(out.failed);
	parse_response(&again, out.p, FL_METHOD_GET);
	assert_int_equal(again.status, head.status);
	return out.p;
}

static int init(void **state)
{
	(void)state;
	fl_text_init(&out, 1 << 20);
	return 0;
}

static int fini(void **state)
{
	(void)state;
	fl_text_fini(&out);
	return 0;
}

#define TAIL "Via: 1.1 fairlead\r\n"
#define XFF  "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"

static void test_requests(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{"GET /a?b HTTP/1.1\r\nA: 1\r\nHost: h:80\r\nb:2\r\n\r\n",
			"GET /a?b HTTP/1.1\r\nHost: h:80\r\nA: 1\r\nb: 2\r\n" XFF TAIL "\r\n"},
		{"GET /a HTTP/1.1\r\nHost: h\r\nA: 1\r\nConnection: x\r\nB: 2\r\nC:3\r\nD: "
		 "4\r\n\r\n",
			"GET /a HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n" XFF
				TAIL "\r\n"},
		{"GET /a HTTP/1.1\r\nHost:  h \r\nA: 1\r\n\r\n",
			"GET /a HTTP/1.1\r\nHost: h\r\nA: 1\r\n" XFF TAIL "\r\n"},
		/* hop by hop, by name and by Connection */
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Mine\r\nKeep-Alive: 1\r\n"
		 "Proxy-Connection: x\r\nTE: trailers\r\nX-Mine: 1\r\nUpgrade: u\r\n"
		 "Trailer: t\r\nX-Other: 2\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nX-Other: 2\r\n" XFF TAIL "\r\n"},
		/* lists of forwarders are joined, the protocol is ours to say */
		{"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a, b\r\nX-Forwarded-For:\r\n"
		 "X-Forwarded-Proto: https\r\nx-forwarded-for: c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a, b, c, 192.0.2.1\r\n"
			"X-Forwarded-Proto: http\r\n" TAIL "\r\n"},
		/* absolute targets become origin form, and their authority the Host */
		{"GET http://Real:81/p?q HTTP/1.1\r\nHost: fake\r\n\r\n",
			"GET /p?q HTTP/1.1\r\nHost: Real:81\r\n" XFF TAIL "\r\n"},
		{"GET http://real?q HTTP/1.1\r\nHost: fake\r\n\r\n",
			"GET /?q HTTP/1.1\r\nHost: real\r\n" XFF TAIL "\r\n"},
		{"OPTIONS http://real HTTP/1.1\r\nHost: fake\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: real\r\n" XFF TAIL "\r\n"},
		{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: h\r\n" XFF TAIL "\r\n"},
		/* HTTP/1.0: a Host it may lack, an expectation it cannot have */
		{"GET / HTTP/1.0\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: pool\r\n" XFF "Via: 1.0 fairlead\r\n\r\n"},
		{"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: pool\r\n" XFF
			"Via: 1.0 fairlead\r\nContent-Length: 1\r\n\r\n"},
		/* framing is written anew */
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 007\r\nExpect: 100-continue"
		 "\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n" XFF TAIL
			"Content-Length: 7\r\n\r\n"},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\n" XFF TAIL
			"Transfer-Encoding: chunked\r\n\r\n"},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\n" XFF TAIL "Content-Length: 0\r\n\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(request(table[i].in, false), table[i].out);
}

static void test_upgrade(void **state)
{
	static const char in[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade, X-A\r\n"
				 "X-A: 1\r\nUpgrade: websocket\r\n\r\n";
	(void)state;
	assert_string_equal(request(in, true),
		"GET / HTTP/1.1\r\nHost: h\r\n" XFF TAIL
		"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
	assert_string_equal(
		request(in, false), "GET / HTTP/1.1\r\nHost: h\r\n" XFF TAIL "\r\n");
}

static void test_answers(void **state)
{
	static const struct {
		const char *in;
		struct fl_head_answer how;
		const char *out;
	} table[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: 1\r\nA: 2\r\n\r\n", {0},
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: 1\r\nA: 2\r\n\r\n"},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive, X-B\r\nKeep-Alive: 5\r\nX-B: 1\r\n"
		 "Content-Length: 3\r\n\r\n",
			{0}, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n",
			{.chunked = true},
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {.close = true},
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
		{"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", {.keep_alive = true},
			"HTTP/1.1 200 \r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			{.keep_alive = true, .close = true},
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: u\r\n\r\n",
			{.upgrade = true, .close = true},
			"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: u\r\n\r\n"},
		{"HTTP/1.1 100 Continue\r\n\r\n", {0}, "HTTP/1.1 100 Continue\r\n\r\n"},
		/* Lines are written our way, whatever passes around them. */
		{"HTTP/1.1 200\r\nA: 1\r\n\r\n", {0}, "HTTP/1.1 200 \r\nA: 1\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nA: 1\r\nB:2\r\nC:\r\nD: \r\nE: 5 \r\nF:  6\r\nG: "
		 "7\r\n\r\n",
			{0},
			"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: \r\nD: \r\nE: 5\r\nF: 6\r\nG: "
			"7\r\n"
			"\r\n"},
		{"HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\nA: 1\r\nKeep-Alive: 5\r\nB: 2\r\n\r\n",
			{0}, "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"},
		/* The last blank of a reason and odd bytes are the node's own. */
		{"HTTP/1.1 599 \xc3\xa4\r\nContent-Length: 0\r\n\r\n", {0},
			"HTTP/1.1 599 \xc3\xa4\r\nContent-Length: 0\r\n\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(answer(table[i].in, table[i].how), table[i].out);
}

/* Our own answers have a right length, and say when they are the last. */
static void test_own(void **state)
{
	static const int statuses[] = {
		400, 404, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505, 299};
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		for (int way = 0; way < 4; way++) {
			static struct fl_http1_head head;
			bool head_only = way & 1, close = way & 2;
			fl_text_clear(&out);
			fl_head_own(&out, statuses[i], "why it is so", head_only, close);
			fl_text_add(&out, "", 1);
			char *blank = strstr(out.p, "\r\n\r\n");
			size_t body = strlen(blank + 4);
			char text[512];
			snprintf(text, sizeof(text), "%.*s", (int)(blank + 4 - out.p), out.p);
			parse_response(&head, text, FL_METHOD_GET);
			assert_int_equal(head.status, statuses[i]);
			assert_true(head.length > 12);
			assert_int_equal(body, head_only ? 0 : head.length);
			assert_int_equal(head.keep_alive, !close);
			if (!head_only)
				assert_non_null(strstr(blank, "why it is so\n"));
		}
	}
}

/* Random fields: what is sent on parses to the same fields but for those that are hop by hop, in
 * the same order; nothing that a client can write becomes a field it did not write. */
static void test_nothing_is_injected(void **state)
{
	static const char *const names[] = {"A", "b-c", "X_Y", "Accept", "Cookie", "Via",
		"Date", "Server", "X-Forwarded-Host", "TE", "Keep-Alive", "Idempotency-Key"};
	static const char bytes[] = "aZ:, ;=\"\\\t%0a\x80\xff";
	(void)state;
	for (uint64_t i = 0; i < 3000; i++) {
		static struct fl_http1_head before, after;
		char text[4096];
		int n = sprintf(text, "GET /%u HTTP/1.1\r\nHost: h\r\n", number(100));
		seed(i);
		for (uint32_t f = number(12); f; f--) {
			n += sprintf(text + n, "%s: ", names[number(12)]);
			for (uint32_t b = number(20); b; b--)
				text[n++] = bytes[number(sizeof(bytes) - 1)];
			n += sprintf(text + n, "\r\n");
		}
		sprintf(text + n, "\r\n");
		parse_request(&before, text);
		(void)request(text, false);
		parse_request(&after, out.p);
		assert_true(fl_slice_eq(before.target, after.target));
		size_t at = 1; /* after Host */
		for (size_t h = 0; h < before.header_count; h++) {
			const struct fl_http1_header *want = &before.headers[h];
			if (want->hop || want->id == FL_HDR_HOST)
				continue;
			assert_true(at < after.header_count);
			assert_true(fl_slice_eq(want->name, after.headers[at].name));
			assert_true(fl_slice_eq(want->value, after.headers[at].value));
			at++;
		}
		/* X-Forwarded-For, X-Forwarded-Proto, Via: the ones that we add */
		assert_int_equal(after.header_count, at + 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_nothing_is_injected),
	};
	return cmocka_run_group_tests(tests, init, fini);
}
