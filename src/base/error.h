/* Filling a caller's struct fl_error (declared in the public header). */
#ifndef FL_BASE_ERROR_H
#define FL_BASE_ERROR_H

#include "fairlead/fairlead.h"

#include <stdarg.h>

/* Writes `code` and the formatted text into `err` when it is not NULL; returns `code`,
 * so that a failing function ends with `return fl_error_set(err, FL_EINVAL, ...)`. */
__attribute__((format(printf, 3, 4))) int fl_error_set(
	struct fl_error *err, int code, const char *format, ...);

#endif
