// rooms: proto
/* What the HTTP/1 parser makes of request streams, for tests in other languages.
 *
 * Input: messages, each a length (4 bytes, big endian) and that many bytes: one client
 * connection. Output, one line a message, columns separated by TAB:
 *   END STATUS USED  then for each complete request  METHOD TARGET FRAMING BODY
 * END: idle, wait, closed, head, body (tests/support/http1_run.h). TARGET (path and query) and
 * BODY are in hexadecimal, "-" when empty. FRAMING: none, length, chunked. */
#include "../support/http1_run.h"

#include <stdio.h>

enum {
	MESSAGE_MAX = 1 << 20
};

static const struct fl_http1_limits limits = {8192, 32768, 100};

struct text {
	char *p; /* malloc'd */
	size_t n;
};

struct record {
	struct text done, now; /* of the complete requests, of the one being read */
	bool data;             /* the one being read has had a byte of body */
};

static void put(struct text *t, const char *p, size_t n)
{
	t->p = realloc(t->p, t->n + n + 1);
	if (!t->p)
		abort();
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static void put_hex(struct text *t, struct fl_slice s)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char two[2] = {digits[c >> 4], digits[c & 15]};
		put(t, two, 2);
	}
}

static void on_head(void *cookie, const struct fl_http1_head *head, const char *p, size_t n)
{
	static const char *const framings[] = {"none", "length", "chunked", "close"};
	struct record *record = cookie;
	(void)p;
	(void)n;
	record->now.n = 0;
	record->data = false;
	put(&record->now, "\t", 1);
	put(&record->now, head->method_text.p, head->method_text.n);
	put(&record->now, "\t", 1);
	put_hex(&record->now, head->path);
	if (head->query.p) {
		put_hex(&record->now, FL_SLICE("?"));
		put_hex(&record->now, head->query);
	}
	put(&record->now, "\t", 1);
	put(&record->now, framings[head->framing], strlen(framings[head->framing]));
	put(&record->now, "\t", 1);
}

static void on_data(void *cookie, struct fl_slice data)
{
	struct record *record = cookie;
	record->data = true;
	put_hex(&record->now, data);
}

static void on_complete(void *cookie)
{
	struct record *record = cookie;
	if (!record->data)
		put(&record->now, "-", 1);
	put(&record->done, record->now.p, record->now.n);
}

static void judge(const char *p, size_t n)
{
	static const char *const ends[] = {"idle", "wait", "closed", "head", "body"};
	struct record record = {{NULL, 0}, {NULL, 0}, false};
	struct http1_hooks hooks = {&record, on_head, on_data, on_complete};
	struct http1_outcome out = http1_run(p, n, &limits, NULL, NULL, &hooks);
	printf("%s\t%d\t%zu", ends[out.end], out.status, out.used);
	(void)fwrite(record.done.p, 1, record.done.n, stdout);
	(void)putchar('\n');
	free(record.done.p);
	free(record.now.p);
}

int main(void)
{
	static char message[MESSAGE_MAX];
	unsigned char size[4];
	while (fread(size, 1, 4, stdin) == 4) {
		size_t n = (size_t)size[0] << 24 | (size_t)size[1] << 16 |
		           (size_t)size[2] << 8 | size[3];
		if (n > sizeof(message) || fread(message, 1, n, stdin) != n) {
			(void)fprintf(stderr, "http1_verdict: bad message\n");
			return 2;
		}
		judge(message, n);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
