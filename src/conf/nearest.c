/* "Did you mean": the name at the smallest edit distance.
 *
 * Insertions, deletions, replacements and swaps of two neighbours cost 1, a change of case
 * nothing. Three rows of the classical table are enough. Words beyond MOST bytes get no
 * suggestion, so a comparison costs at most MOST * MOST steps and no heap. */
#include "conf/conf.h"

#include <ctype.h>
#include <string.h>

#define MOST 48

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][MOST + 1];
	unsigned *older = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= m; j++)
		last[j] = older[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			unsigned d = least(last[j] + 1, now[j - 1] + 1);
			d = least(d, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
				d = least(d, older[j - 2] + 1);
			now[j] = d;
		}
		unsigned *spare = older;
		older = last;
		last = now;
		now = spare;
	}
	return last[m];
}

const char *fl_conf_nearest(const char *text, const char *const *names)
{
	const size_t n = strlen(text);
	const char *best = NULL;
	unsigned best_distance = (unsigned)(n / 3) + 1;

	if (n == 0 || n > MOST)
		return NULL;
	for (; *names; names++) {
		size_t m = strlen(*names);
		if (m > MOST)
			continue;
		unsigned d = distance(text, n, *names, m);
		if (d < best_distance) {
			best_distance = d;
			best = *names;
		}
	}
	return best;
}
