#include "proxy/pipe.h"

#include "base/assert.h"

#include <string.h>

void fl_pipe_init(struct fl_pipe *pipe, struct fl_inq *in, const struct fl_http1_head *head,
	struct fl_slice prefix, bool chunked)
{
	FL_ASSERT(!pipe->held_count);
	pipe->in = in;
	pipe->prefix = prefix;
	pipe->chunked = chunked;
	pipe->promised = 0;
	pipe->terminated = false;
	pipe->eof = false;
	pipe->broken = false;
	pipe->copy = NULL;
	pipe->bytes = 0;
	fl_http1_body_init(&pipe->body, head);
}

void fl_pipe_again(struct fl_pipe *pipe, struct fl_slice prefix)
{
	fl_pipe_sent(pipe);
	pipe->prefix = prefix;
	pipe->promised = 0;
	pipe->terminated = false;
}

void fl_pipe_sent(struct fl_pipe *pipe)
{
	while (pipe->held_count)
		fl_rbuf_unref(pipe->held[--pipe->held_count]);
}

/* Keeps the front buffer of the queue until its bytes were sent. */
static void hold_front(struct fl_pipe *pipe)
{
	struct fl_rbuf *buf = pipe->in->buf[0];

	if (pipe->held_count && pipe->held[pipe->held_count - 1] == buf)
		return;
	FL_ASSERT(pipe->held_count < FL_INQ_BUFFERS);
	pipe->held[pipe->held_count++] = fl_rbuf_ref(buf);
}

void fl_pipe_hold_prefix(struct fl_pipe *pipe)
{
	hold_front(pipe);
}

/* "1f4\r\n" into a line of the pipe's; returns its length. */
static size_t size_line(char *line, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	char digits[8];
	size_t count = 0, at = 0;

	FL_DEBUG_ASSERT(n <= UINT32_MAX);
	do {
		digits[count++] = hex[n & 15];
		n >>= 4;
	} while (n);
	while (count)
		line[at++] = digits[--count];
	line[at++] = '\r';
	line[at++] = '\n';
	return at;
}

struct gathered {
	struct iovec *iov;
	int count;
	unsigned chunks;
};

/* What follows the last slice in memory makes it longer: a head and its body in one buffer, and
 * chunks that came as we would write them, go out as they came. */
static void add(struct gathered *g, const char *p, size_t n)
{
	if (g->count) {
		struct iovec *last = &g->iov[g->count - 1];
		if ((const char *)last->iov_base + last->iov_len == p) {
			last->iov_len += n;
			return;
		}
	}
	FL_DEBUG_ASSERT(g->count < FL_SEND_IOV);
	g->iov[g->count++] = (struct iovec){(void *)(uintptr_t)p, n};
}

/* Announces all of the incoming chunk, though the rest of it may still be to come; not of a gigantic
 * one, whose size others may not be able to read. */
static void begin_chunk(
	struct fl_pipe *pipe, struct gathered *g, struct fl_slice before, struct fl_slice data)
{
	char *line = pipe->size_line[g->chunks];

	pipe->promised = data.n;
	if (pipe->body.framing == FL_BODY_CHUNKED && pipe->body.left < FL_PIPE_CHUNK_MAX)
		pipe->promised += (size_t)pipe->body.left;
	size_t n = size_line(line, pipe->promised);
	if (before.n >= n && memcmp(data.p - n, line, n) == 0) {
		add(g, data.p - n, n);
		return;
	}
	add(g, line, n);
	g->chunks++;
}

/* `front` is what the queue has from before the data on. */
static void add_chunk(
	struct fl_pipe *pipe, struct gathered *g, struct fl_slice front, struct fl_slice data)
{
	struct fl_slice before = {front.p, (size_t)(data.p - front.p)};
	size_t beyond = front.n - before.n - data.n;
	const char *end = data.p + data.n;

	if (!pipe->promised)
		begin_chunk(pipe, g, before, data);
	add(g, data.p, data.n);
	pipe->promised -= data.n;
	if (!pipe->promised)
		add(g, beyond >= 2 && memcmp(end, "\r\n", 2) == 0 ? end : "\r\n", 2);
}

static void add_data(
	struct fl_pipe *pipe, struct gathered *g, struct fl_slice front, struct fl_slice data)
{
	if (pipe->chunked)
		add_chunk(pipe, g, front, data);
	else
		add(g, data.p, data.n);
	pipe->bytes += data.n;
	if (pipe->copy)
		fl_text_slice(pipe->copy, data);
}

/* Body bytes from the queue, as far as iov reaches. False when they break their framing. */
static bool gather_body(struct fl_pipe *pipe, struct gathered *g)
{
	/* Room for one chunk (three) and the last chunk must be left. */
	while (!pipe->body.done && !fl_inq_empty(pipe->in) && g->count + 4 <= FL_SEND_IOV &&
		g->chunks < FL_PIPE_CHUNKS) {
		struct fl_slice front = fl_inq_front(pipe->in), data;
		long used = fl_http1_body_feed(&pipe->body, front.p, front.n, &data);
		if (used < 0)
			return false;
		if (data.n) {
			hold_front(pipe);
			add_data(pipe, g, front, data);
		}
		fl_inq_consume(pipe->in, (size_t)used);
	}
	if (pipe->eof && !pipe->broken && fl_inq_empty(pipe->in) &&
		pipe->body.framing == FL_BODY_CLOSE)
		pipe->body.done = true;
	return true;
}

enum fl_pipe_status fl_pipe_gather(struct fl_pipe *pipe, struct iovec *iov, int *count)
{
	struct gathered g = {iov, 0, 0};

	if (pipe->prefix.n) {
		add(&g, pipe->prefix.p, pipe->prefix.n);
		pipe->prefix.n = 0;
	}
	if (!gather_body(pipe, &g))
		return FL_PIPE_MALFORMED;
	if (pipe->body.done && !pipe->terminated) {
		if (pipe->chunked)
			add(&g, "0\r\n\r\n", 5);
		pipe->terminated = true;
	}
	*count = g.count;
	if (g.count)
		return FL_PIPE_SEND;
	if (pipe->terminated)
		return FL_PIPE_DONE;
	return pipe->eof && fl_inq_empty(pipe->in) ? FL_PIPE_TRUNCATED : FL_PIPE_STARVED;
}
