#include "framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a field if the line is that field's. */
static const char *field(const char *line, const char *end, const char *name)
{
	size_t n = strlen(name);

	if ((size_t)(end - line) <= n || strncasecmp(line, name, n) != 0)
		return NULL;
	for (line += n; line < end && (*line == ' ' || *line == '\t');)
		line++;
	return line;
}

static bool number(const char *p, const char *end, uint64_t *out)
{
	uint64_t value = 0;

	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9' || value > UINT64_MAX / 20)
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	*out = value;
	return true;
}

/* A whole head, with the empty line at its end. An answer whose end nobody could know but by the
 * connection's end is none that a kept connection may give. */
static bool read_head(struct framing *f, const char *head, size_t n)
{
	const char *end = head + n, *line, *next, *value;
	bool sized = false, chunked = false;
	uint64_t status;

	if (n < 14 || memcmp(head, "HTTP/1.1 ", 9) != 0 ||
		!number(head + 9, head + 12, &status))
		return false;
	for (line = head; (next = memchr(line, '\n', (size_t)(end - line))) != NULL;
		line = next + 1) {
		/* Only these two begin so: other lines cost one look. */
		if ((*line | 0x20) == 'c' &&
			(value = field(line, next - 1, "content-length:"))) {
			if (sized || !number(value, next - 1, &f->left))
				return false;
			sized = true;
		} else if ((*line | 0x20) == 't' &&
			   (value = field(line, next - 1, "transfer-encoding:"))) {
			if (chunked || next - 1 - value != 7 ||
				strncasecmp(value, "chunked", 7) != 0)
				return false;
			chunked = true;
		}
	}
	if (sized == chunked)
		return false;
	f->status = (int)status;
	f->body = 0;
	f->digit = false;
	f->state = chunked ? FRAMING_SIZE : FRAMING_SIZED;
	if (chunked)
		f->left = 0;
	return true;
}

static bool keep_head(struct framing *f, const char *bytes, size_t n)
{
	if (f->head_size + n > FRAMING_HEAD)
		return false;
	if (!f->head)
		f->head = malloc(FRAMING_HEAD);
	if (!f->head)
		return false;
	memcpy(f->head + f->head_size, bytes, n);
	f->head_size += n;
	return true;
}

/* A head that began in bytes that are gone. */
static ptrdiff_t feed_kept(struct framing *f, const char *bytes, size_t n)
{
	size_t before = f->head_size,
	       taken = n < FRAMING_HEAD - before ? n : FRAMING_HEAD - before;
	size_t from = before > 3 ? before - 3 : 0;
	const char *end;

	if (taken == 0 || !keep_head(f, bytes, taken))
		return -1;
	end = memmem(f->head + from, f->head_size - from, "\r\n\r\n", 4);
	if (!end)
		return (ptrdiff_t)taken;
	taken = (size_t)(end + 4 - f->head) - before;
	if (!read_head(f, f->head, (size_t)(end + 4 - f->head)))
		return -1;
	/* Kept connections that idle shall not hold it. */
	free(f->head);
	f->head = NULL;
	f->head_size = 0;
	return (ptrdiff_t)taken;
}

static ptrdiff_t feed_head(struct framing *f, const char *bytes, size_t n)
{
	const char *end;

	if (f->head_size > 0)
		return feed_kept(f, bytes, n);
	end = memmem(bytes, n, "\r\n\r\n", 4);
	if (!end)
		return keep_head(f, bytes, n) ? (ptrdiff_t)n : -1;
	n = (size_t)(end + 4 - bytes);
	return read_head(f, bytes, n) ? (ptrdiff_t)n : -1;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of the line before a chunk. Extensions are passed over. */
static bool feed_size(struct framing *f, char c)
{
	int value = hex(c);

	if (c == '\n') {
		if (!f->digit)
			return false;
		f->digit = false;
		f->line = false;
		f->state = f->left > 0 ? FRAMING_CHUNK : FRAMING_TRAILERS;
	} else if (!f->line && value >= 0) {
		if (f->left >> 56)
			return false;
		f->left = f->left * 16 + (uint64_t)value;
		f->digit = true;
	} else if (c == ';' || c == '\r' || c == ' ' || f->line) {
		f->line = true; /* the size has ended */
	} else {
		return false;
	}
	return true;
}

/* A byte behind a chunk's bytes or behind the last chunk. True in *done: the empty line. */
static bool feed_line(struct framing *f, char c, bool *done)
{
	if (f->state == FRAMING_CHUNK_END) {
		if (c == '\n')
			f->state = FRAMING_SIZE;
		return c == '\n' || c == '\r';
	}
	if (c == '\n') {
		*done = !f->line;
		f->line = false;
	} else if (c != '\r') {
		f->line = true;
	}
	return true;
}

uint64_t framing_plain(const struct framing *f)
{
	return f->state == FRAMING_SIZED || f->state == FRAMING_CHUNK ? f->left : 0;
}

bool framing_skip(struct framing *f, uint64_t n)
{
	f->left -= n;
	f->body += n;
	if (f->left > 0)
		return false;
	if (f->state == FRAMING_CHUNK) {
		f->state = FRAMING_CHUNK_END;
		return false;
	}
	f->state = FRAMING_IN_HEAD;
	return true;
}

ptrdiff_t framing_feed(struct framing *f, const char *bytes, size_t n, bool *done)
{
	size_t at = 0;

	*done = false;
	while (at < n && !*done) {
		uint64_t plain = framing_plain(f);

		if (f->state == FRAMING_IN_HEAD) {
			ptrdiff_t taken = feed_head(f, bytes + at, n - at);

			if (taken < 0)
				return -1;
			at += (size_t)taken;
			*done = f->state == FRAMING_SIZED && f->left == 0 && framing_skip(f, 0);
		} else if (plain > 0) {
			plain = plain < n - at ? plain : n - at;
			at += plain;
			*done = framing_skip(f, plain);
		} else if (f->state == FRAMING_SIZE) {
			if (!feed_size(f, bytes[at++]))
				return -1;
		} else if (!feed_line(f, bytes[at++], done)) {
			return -1;
		}
	}
	if (*done)
		f->state = FRAMING_IN_HEAD;
	return (ptrdiff_t)at;
}

void framing_reset(struct framing *f)
{
	free(f->head);
	*f = (struct framing){0};
}
