// rooms: import
/* Any bytes as nginx's configuration, whose includes are the file itself. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(FL_IMPORT_NGINX, data, size);
}
