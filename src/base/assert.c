#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void fl_assert_failed(const char *what, const char *file, int line, const char *func)
{
	(void)fprintf(stderr, "fairlead: bug: %s does not hold in %s at %s:%d\n", what, func,
		file, line);
	abort();
}
