/* The bytes of a file before YAML sees them: reading them, and whether they are text. */
#ifndef FL_CONF_TEXT_H
#define FL_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct fl_conf_text_place {
	unsigned line, column;
	const char *what; /* is wrong there; NULL: it is the end of the text */
};

/* Whether `bytes` are UTF-8 without the characters that YAML forbids (a NUL, most control
 * characters, surrogates, U+FFFE, U+FFFF, a byte order mark that is not at the start). 0 with
 * the end of the text in `place`, or -1 with the first wrong place: lines and columns from 1, columns in characters. */
int fl_conf_check_text(const char *bytes, size_t len, struct fl_conf_text_place *place);

/* Whether the blanks before the first word of line `line` (from 1) have a tab among them. */
bool fl_conf_tab_indents(const char *bytes, size_t len, unsigned line);

/* All bytes of the file at `path` (NULL: standard input) into a buffer for free(); at most `most`
 * bytes. NULL, or the text of why not. */
const char *fl_conf_slurp(const char *path, size_t most, char **bytes, size_t *len);

#endif
