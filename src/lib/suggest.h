/* "Did you mean": the closest of some names to what was typed. */
#ifndef FL_LIB_SUGGEST_H
#define FL_LIB_SUGGEST_H

#include <stddef.h>

/* How many single-character insertions, deletions and replacements turn `a` into `b`. Looks at
 * no more than 64 characters of each. */
size_t fl_edit_distance(const char *a, const char *b);

/* Keeps the better of two candidates for `typed`: `best` (NULL: none yet) or `name`, when it is
 * close enough to be meant. */
const char *fl_suggest(const char *typed, const char *best, const char *name);

#endif
