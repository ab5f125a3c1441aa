#include "lib/suggest.h"

#include <string.h>

#define LONGEST 64

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

size_t fl_edit_distance(const char *a, const char *b)
{
	size_t rows = strnlen(a, LONGEST), columns = strnlen(b, LONGEST);
	size_t line[LONGEST + 1];
	for (size_t j = 0; j <= columns; j++)
		line[j] = j;
	for (size_t i = 1; i <= rows; i++) {
		size_t corner = line[0];
		line[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			size_t replaced = corner + (a[i - 1] != b[j - 1]);
			corner = line[j];
			line[j] = least(replaced, line[j] + 1, line[j - 1] + 1);
		}
	}
	return line[columns];
}

const char *fl_suggest(const char *typed, const char *best, const char *name)
{
	size_t length = strlen(typed), d = fl_edit_distance(typed, name);
	if (d > 1 + length / 3 || d >= strlen(name))
		return best;
	return best && fl_edit_distance(typed, best) <= d ? best : name;
}
