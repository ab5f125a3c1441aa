// rooms: import
/* Any bytes as HAProxy's configuration. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(FL_IMPORT_HAPROXY, data, size);
}
