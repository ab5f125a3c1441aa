/* The pipe: whatever frames a body on one side and on the other, and however its bytes are cut,
 * the same body comes out, in a framing that parses; a second receiver gets exactly the same. */
#include "bytes.h"

#include "proxy/pipe.h"

#define BODY_MAX 3000

struct run {
	struct source *s;
	char body[BODY_MAX];
	size_t body_n;
	char wire[4 * BODY_MAX]; /* the body framed as it comes in */
	size_t wire_n;
	struct fl_http1_head head;
	char out[8 * BODY_MAX];
	size_t out_n;
	struct fl_text copy, again;
	size_t fed;
	unsigned chunks; /* that came in */
	bool eof;
	struct fl_inq q;
	struct fl_pipe pipe;
};

/* A body of random bytes, framed, in chunks of random sizes. */
static void make_input(struct run *r, enum fl_http1_framing framing)
{
	r->body_n = number(4) ? number(200) : number(BODY_MAX);
	for (size_t i = 0; i < r->body_n; i++)
		r->body[i] = "0\r\n;aZ\n\r"[number(8)];
	r->head = (struct fl_http1_head){.framing = framing, .length = r->body_n};
	r->wire_n = 0;
	r->chunks = 0;
	if (framing != FL_BODY_CHUNKED) {
		memcpy(r->wire, r->body, r->body_n);
		r->wire_n = r->body_n;
		return;
	}
	for (size_t at = 0; at < r->body_n;) {
		size_t n = 1 + number(number(3) ? 9 : 700);
		n = n < r->body_n - at ? n : r->body_n - at;
		r->wire_n += (size_t)sprintf(
			r->wire + r->wire_n, number(2) ? "%zx\r\n" : "%zX;e=\"v\"\r\n", n);
		memcpy(r->wire + r->wire_n, r->body + at, n);
		r->wire_n += n;
		r->wire_n += (size_t)sprintf(r->wire + r->wire_n, "\r\n");
		at += n;
		r->chunks++;
	}
	r->wire_n += (size_t)sprintf(
		r->wire + r->wire_n, number(2) ? "0\r\n\r\n" : "000\r\nX-T: x\r\n\r\n");
}

static void more_input(struct run *r)
{
	size_t n = 1 + number(number(3) ? 20 : 900);
	n = n < r->wire_n - r->fed ? n : r->wire_n - r->fed;
	if (n)
		feed(r->s, &r->q, r->wire + r->fed, n);
	r->fed += n;
	if (r->fed == r->wire_n)
		r->pipe.eof = r->eof;
}

/* One step: input, or output, or both. False when the message is done. */
static bool step(struct run *r)
{
	struct iovec iov[FL_SEND_IOV];
	int count = -1;

	if (r->q.count < 3 && number(2))
		more_input(r);
	switch (fl_pipe_gather(&r->pipe, iov, &count)) {
	case FL_PIPE_SEND:
		assert_true(count > 0 && count <= FL_SEND_IOV);
		/* More may come in while it is being sent. */
		if (r->q.count < 3 && number(3) == 0)
			more_input(r);
		for (int i = 0; i < count; i++) {
			assert_true(iov[i].iov_len > 0);
			memcpy(r->out + r->out_n, iov[i].iov_base, iov[i].iov_len);
			r->out_n += iov[i].iov_len;
		}
		fl_pipe_sent(&r->pipe);
		return true;
	case FL_PIPE_STARVED:
		/* Its owner may read on now, so there must be room. */
		assert_true(fl_inq_empty(&r->q));
		assert_true(r->fed < r->wire_n || !r->eof);
		more_input(r);
		return true;
	case FL_PIPE_DONE:
		return false;
	default:
		fail_msg("a good body was refused");
		return false;
	}
}

/* The output is the prefix, then the body in its framing, and nothing else. Returns the number of
 * its chunks. */
static unsigned check_output(struct run *r, const char *prefix, bool chunked)
{
	struct fl_http1_head head = {
		.framing = chunked ? FL_BODY_CHUNKED : FL_BODY_LENGTH, .length = r->body_n};
	struct fl_http1_body body;
	size_t at = strlen(prefix), got = 0;
	unsigned chunks = 0;

	assert_memory_equal(r->out, prefix, at);
	fl_http1_body_init(&body, &head);
	while (at < r->out_n) {
		struct fl_slice data;
		long used = fl_http1_body_feed(&body, r->out + at, r->out_n - at, &data);
		assert_true(used > 0);
		assert_true(got + data.n <= r->body_n);
		assert_memory_equal(data.p, r->body + got, data.n);
		got += data.n;
		at += (size_t)used;
		chunks += data.n > 0;
	}
	assert_true(body.done);
	assert_int_equal(got, r->body_n);
	return chunks;
}

static void begin(struct run *r, enum fl_http1_framing framing, bool chunked)
{
	make_input(r, framing);
	r->fed = r->out_n = 0;
	r->eof = framing == FL_BODY_CLOSE || number(2);
	fl_inq_init(&r->q);
	fl_pipe_init(&r->pipe, &r->q, &r->head, FL_SLICE("HEAD"), chunked);
	fl_text_init(&r->copy, BODY_MAX);
	fl_text_init(&r->again, 4 * BODY_MAX);
	r->pipe.copy = &r->copy;
}

static void finish(struct run *r)
{
	fl_pipe_sent(&r->pipe);
	fl_inq_fini(&r->q);
	fl_text_fini(&r->copy);
	fl_text_fini(&r->again);
}

static const enum fl_http1_framing framings[] = {
	FL_BODY_LENGTH, FL_BODY_CHUNKED, FL_BODY_CLOSE};

static void test_any_cut(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	struct source s;
	(void)state;
	source_open(&s);
	r->s = &s;
	for (uint64_t i = 0; i < 3000; i++) {
		bool chunked = i & 1;
		seed(i);
		begin(r, framings[i % 3], chunked);
		while (step(r))
			;
		unsigned chunks = check_output(r, "HEAD", chunked);
		/* However a chunk was cut on its way, it goes on as one. */
		if (chunked && framings[i % 3] == FL_BODY_CHUNKED)
			assert_int_equal(chunks, r->chunks);
		assert_int_equal(r->pipe.bytes, r->body_n);
		assert_int_equal(r->copy.n, r->body_n);
		assert_memory_equal(r->copy.p, r->body, r->body_n);
		finish(r);
	}
	free(r);
	source_close(&s);
}

/* As the proxy does it: whatever the first receiver got of it, the second gets all. */
static void test_again(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	struct source s;
	(void)state;
	source_open(&s);
	r->s = &s;
	for (uint64_t i = 0; i < 3000; i++) {
		bool chunked = i & 1;
		seed(i + 10000);
		begin(r, framings[i % 2], chunked);
		for (uint32_t attempts = 1 + number(3); attempts; attempts--) {
			for (uint32_t steps = number(12); steps && step(r); steps--)
				;
			/* The attempt fails, perhaps in the midst of a send. */
			fl_text_clear(&r->again);
			FL_TEXT_LITERAL(&r->again, "HEAD");
			if (r->copy.n && chunked)
				fl_text_format(&r->again, "%zx\r\n", r->copy.n);
			fl_text_add(&r->again, r->copy.p, r->copy.n);
			if (r->copy.n && chunked)
				FL_TEXT_LITERAL(&r->again, "\r\n");
			r->out_n = 0;
			fl_pipe_again(&r->pipe, (struct fl_slice){r->again.p, r->again.n});
		}
		while (step(r))
			;
		(void)check_output(r, "HEAD", chunked);
		finish(r);
	}
	free(r);
	source_close(&s);
}

static enum fl_pipe_status drain(struct fl_pipe *pipe)
{
	struct iovec iov[FL_SEND_IOV];
	enum fl_pipe_status status;
	int count;
	while ((status = fl_pipe_gather(pipe, iov, &count)) == FL_PIPE_SEND)
		fl_pipe_sent(pipe);
	return status;
}

/* Ends and broken framings, by table. */
static void test_ends(void **state)
{
	static const struct {
		enum fl_http1_framing framing;
		uint64_t length;
		const char *input;
		bool eof, broken;
		enum fl_pipe_status status;
	} table[] = {
		{FL_BODY_NONE, 0, "next", false, false, FL_PIPE_DONE},
		{FL_BODY_NONE, 0, "", true, true, FL_PIPE_DONE},
		{FL_BODY_LENGTH, 4, "1234next", false, false, FL_PIPE_DONE},
		{FL_BODY_LENGTH, 4, "123", false, false, FL_PIPE_STARVED},
		{FL_BODY_LENGTH, 4, "123", true, false, FL_PIPE_TRUNCATED},
		{FL_BODY_LENGTH, 4, "1234", true, true, FL_PIPE_DONE},
		{FL_BODY_LENGTH, 4, "", true, false, FL_PIPE_TRUNCATED},
		{FL_BODY_CLOSE, 0, "1234", false, false, FL_PIPE_STARVED},
		{FL_BODY_CLOSE, 0, "1234", true, false, FL_PIPE_DONE},
		{FL_BODY_CLOSE, 0, "1234", true, true, FL_PIPE_TRUNCATED},
		{FL_BODY_CHUNKED, 0, "4\r\n1234\r\n0\r\n\r\nnext", false, false, FL_PIPE_DONE},
		{FL_BODY_CHUNKED, 0, "4\r\n1234\r\n0\r\n\r", true, false, FL_PIPE_TRUNCATED},
		{FL_BODY_CHUNKED, 0, "4\r\n1234\r\n", true, false, FL_PIPE_TRUNCATED},
		{FL_BODY_CHUNKED, 0, "4\r\n12345\r\n", false, false, FL_PIPE_MALFORMED},
		{FL_BODY_CHUNKED, 0, "x", true, false, FL_PIPE_MALFORMED},
	};
	struct source s;
	(void)state;
	source_open(&s);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fl_http1_head head = {
			.framing = table[i].framing, .length = table[i].length};
		struct fl_inq q;
		struct fl_pipe pipe = {0};
		fl_inq_init(&q);
		if (table[i].input[0])
			feed(&s, &q, table[i].input, strlen(table[i].input));
		fl_pipe_init(&pipe, &q, &head, FL_SLICE("H"), false);
		pipe.eof = table[i].eof;
		pipe.broken = table[i].broken;
		if (drain(&pipe) != table[i].status)
			fail_msg("row %zu", i);
		/* What belongs to the next message is still there. */
		if (strstr(table[i].input, "next")) {
			assert_int_equal(fl_inq_front(&q).n, 4);
			assert_memory_equal(fl_inq_front(&q).p, "next", 4);
		}
		fl_pipe_sent(&pipe);
		fl_inq_fini(&q);
	}
	source_close(&s);
}

/* What one gather makes of `input`, which arrives whole: the number of runs, and their bytes. */
static int gather_all(struct source *s, const char *input, char *out)
{
	struct fl_http1_head head = {.framing = FL_BODY_CHUNKED};
	struct iovec iov[FL_SEND_IOV];
	struct fl_inq q;
	struct fl_pipe pipe = {0};
	int count;
	fl_inq_init(&q);
	feed(s, &q, input, strlen(input));
	fl_pipe_init(&pipe, &q, &head, FL_SLICE(""), true);
	assert_int_equal(fl_pipe_gather(&pipe, iov, &count), FL_PIPE_SEND);
	for (int i = 0; i < count; i++) {
		memcpy(out, iov[i].iov_base, iov[i].iov_len);
		out += iov[i].iov_len;
	}
	*out = 0;
	fl_pipe_sent(&pipe);
	fl_inq_fini(&q);
	return count;
}

/* Chunks that came as we would write them are one run of bytes, however many; each way to write
 * them otherwise is put right. */
static void test_runs(void **state)
{
	static const struct {
		const char *input, *output;
		int runs;
	} table[] = {
		{"4\r\n1234\r\n", "4\r\n1234\r\n", 1},
		{"a\r\n1234567890\r\n1\r\nx\r\n1\r\ny\r\n2\r\nzz\r\n1\r\n.\r\n1\r\n.\r\n",
			"a\r\n1234567890\r\n1\r\nx\r\n1\r\ny\r\n2\r\nzz\r\n1\r\n.\r\n1\r\n."
			"\r\n",
			1},
		/* The rest of a chunk is announced with its beginning. */
		{"ff\r\n1234", "ff\r\n1234", 1},
		{"1000000\r\n1", "1000000\r\n1", 1},
		/* Unless others might not be able to read its size. */
		{"100000002\r\n12", "2\r\n12\r\n", 2},
		/* A line end that is not there yet is not waited for. */
		{"4\r\n1234", "4\r\n1234\r\n", 2},
		{"4\r\n1234\r", "4\r\n1234\r\n", 2},
		{"A\r\n1234567890\r\n", "a\r\n1234567890\r\n", 2},
		{"04\r\n1234\r\n", "4\r\n1234\r\n", 1},
		{"4;x=y\r\n1234\r\n", "4\r\n1234\r\n", 2},
		{"1\r\nx\r\n4 ;x\r\n1234\r\n1\r\ny\r\n", "1\r\nx\r\n4\r\n1234\r\n1\r\ny\r\n",
			3},
		{"4\r\n1234\r\n0\r\n\r\n", "4\r\n1234\r\n0\r\n\r\n", 2},
		{"4\r\n1234\r\n0\r\nX: y\r\n\r\n", "4\r\n1234\r\n0\r\n\r\n", 2},
	};
	struct source s;
	char out[200];
	(void)state;
	source_open(&s);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int runs = gather_all(&s, table[i].input, out);
		if (runs != table[i].runs || strcmp(out, table[i].output) != 0)
			fail_msg("row %zu: %d runs, \"%s\"", i, runs, out);
	}
	source_close(&s);
}

/* Buffers stay until they were sent, and no longer. */
static void test_holds(void **state)
{
	struct fl_http1_head head = {.framing = FL_BODY_LENGTH, .length = 8};
	struct iovec iov[FL_SEND_IOV];
	struct source s;
	struct fl_inq q;
	struct fl_pipe pipe = {0};
	int count;
	(void)state;
	source_open(&s);
	fl_inq_init(&q);
	struct fl_rbuf *buf = source_buf(&s, "12345678", 8);
	fl_inq_push(&q, buf);
	fl_pipe_init(&pipe, &q, &head, FL_SLICE(""), false);
	assert_int_equal(fl_pipe_gather(&pipe, iov, &count), FL_PIPE_SEND);
	assert_int_equal(count, 1);
	assert_ptr_equal(iov[0].iov_base, buf->data);
	assert_true(fl_inq_empty(&q));
	assert_int_equal(buf->refs, 2);
	fl_pipe_sent(&pipe);
	assert_int_equal(buf->refs, 1);
	fl_rbuf_unref(buf);
	fl_inq_fini(&q);
	source_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
