/* The io_uring backend: not in this build, so a loop that asks for it hears -ENOSYS. */
#include "loop/loop_priv.h"

#include <errno.h>

static int uring_open(struct fl_loop *loop, const struct fl_loop_options *options)
{
	(void)loop;
	(void)options;
	return -ENOSYS;
}

const struct fl_backend fl_backend_uring = {.open = uring_open};
