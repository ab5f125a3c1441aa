#include "fairlead/fairlead.h"

const char *fl_strerror(int code)
{
	switch (code) {
	case FL_OK:
		return "success";
	case FL_EINVAL:
		return "invalid argument";
	case FL_ENOMEM:
		return "out of memory";
	case FL_ELIMIT:
		return "over a limit";
	case FL_EEXIST:
		return "already there";
	case FL_ENOENT:
		return "not found";
	case FL_ENOTSUP:
		return "not supported by this algorithm";
	default:
		return "unknown status code";
	}
}

const char *fl_version(void)
{
	return "0.1.0";
}
