/* One pass over the keys; O(keys). */
#include "cli/demo_moves.h"

#include <stdio.h>

struct fl_demo_moves fl_demo_moves(const uint8_t *before, const uint8_t *after, size_t keys)
{
	struct fl_demo_moves m = {0};

	for (size_t i = 0; i < keys; i++) {
		if (before[i] == after[i])
			continue;
		m.all++;
		if (before[i] != FL_DEMO_NOBODY)
			m.from[before[i]]++;
		if (after[i] != FL_DEMO_NOBODY)
			m.to[after[i]]++;
	}
	return m;
}

const char *fl_demo_list(struct fl_demo_list *buf, const size_t *count)
{
	struct fl_demo_number number;
	size_t at = 0;

	buf->text[0] = '\0';
	for (size_t i = 0; i < FL_DEMO_NODES && at < sizeof(buf->text); i++)
		if (count[i])
			at += (size_t)snprintf(buf->text + at, sizeof(buf->text) - at,
				"%s%s %s", at ? ", " : "", fl_demo_node_name(i),
				fl_demo_number(&number, count[i]));
	return buf->text;
}

const char *fl_demo_number(struct fl_demo_number *buf, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	char *at = buf->text;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return buf->text;
}
