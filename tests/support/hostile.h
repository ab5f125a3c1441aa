/* Reads tests/hostile/http1.tbl (its head describes the format). */
#ifndef FL_TESTS_HOSTILE_H
#define FL_TESTS_HOSTILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hostile {
	char name[64], expect[8];
	unsigned good;
	char *bytes; /* malloc'd */
	size_t n;
};

static inline void hostile_put(struct hostile *h, const char *p, size_t n)
{
	h->bytes = realloc(h->bytes, h->n + n + 1);
	if (!h->bytes)
		abort();
	memcpy(h->bytes + h->n, p, n);
	h->n += n;
}

static inline const char *hostile_unescape(struct hostile *h, const char *p, const char *end);

/* At the number of \(N|text\): appends, returns what follows. */
static inline const char *hostile_repeat(struct hostile *h, const char *p, const char *end)
{
	char *text;
	unsigned long times = strtoul(p, &text, 10);
	size_t from = h->n;
	if (*text != '|')
		return NULL;
	p = hostile_unescape(h, text + 1, end);
	size_t length = h->n - from;
	char *copy = malloc(length + 1);
	if (!copy)
		abort();
	memcpy(copy, h->bytes + from, length);
	for (unsigned long i = 1; i < times; i++)
		hostile_put(h, copy, length);
	free(copy);
	return p;
}

/* Up to `end` or behind "\)"; NULL when malformed. */
static inline const char *hostile_unescape(struct hostile *h, const char *p, const char *end)
{
	static const char letters[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	while (p && p < end) {
		const char *letter = NULL;
		char c = *p++;
		if (c != '\\') {
			hostile_put(h, &c, 1);
		} else if (p == end) {
			p = NULL;
		} else if (*p == ')') {
			return p + 1;
		} else if (*p == '(') {
			p = hostile_repeat(h, p + 1, end);
		} else if (*p == 'x' && end - p >= 3) {
			char hex[3] = {p[1], p[2], 0};
			c = (char)strtoul(hex, NULL, 16);
			hostile_put(h, &c, 1);
			p += 3;
		} else if ((letter = memchr(letters, *p, 5)) != NULL) {
			hostile_put(h, bytes + (letter - letters), 1);
			p++;
		} else {
			p = NULL;
		}
	}
	return p;
}

/* The next row: 1, 0 at the end of the file, -1 when malformed. The caller frees h->bytes. */
static inline int hostile_next(FILE *file, struct hostile *h)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int used = 0, rc = 0;
	while ((n = getline(&line, &room, file)) > 0) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		memset(h, 0, sizeof(*h));
		if (line[n - 1] == '\n')
			n--;
		rc = -1;
		/* the formats stop at blanks, of which names and statuses have none */
		if (sscanf(line, "%63[^\t]\t%7[^\t]\t%u%n", h->name, h->expect, &h->good,
			    &used) == 3 &&
			line[used] == '\t' &&
			hostile_unescape(h, line + used + 1, line + n) == line + n)
			rc = 1;
		break;
	}
	free(line);
	if (rc < 0)
		free(h->bytes);
	return rc;
}

#endif
