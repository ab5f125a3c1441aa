// rooms: base net
/* Any text: refused with a reason, or an address whose own text reads back as the same. */
#include "base/assert.h"
#include "net/addr.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct fl_addr *addr)
{
	char text[FL_ADDR_TEXT], again[FL_ADDR_TEXT], client[FL_ADDR_TEXT];
	struct fl_addr copy;
	size_t n = fl_addr_format(addr, text, sizeof(text));
	FL_ASSERT(n > 0 && n == strlen(text));
	FL_MUST(fl_addr_parse(&copy, text, NULL));
	FL_ASSERT(fl_addr_equal(addr, &copy) && copy.dual == addr->dual);
	FL_ASSERT(fl_addr_format(&copy, again, sizeof(again)) == n);
	FL_ASSERT(strcmp(text, again) == 0);
	n = fl_addr_client_text(addr, 32, 128, client, sizeof(client));
	FL_ASSERT(n == strlen(client) && (n > 0) == (addr->ss.ss_family != AF_UNIX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[600];
	struct fl_endpoint e;
	struct fl_error err = {0};
	size_t n = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, n);
	text[n] = '\0';
	int rc = fl_endpoint_parse(&e, text, &err);
	FL_ASSERT(rc == FL_OK || (rc == FL_EINVAL && err.code == rc && err.text[0]));
	if (rc == FL_OK && !e.is_name)
		check_address(&e.addr);
	if (rc == FL_OK && e.is_name)
		FL_ASSERT(strncmp(text, e.host, strlen(e.host)) == 0 && e.host[0]);
	return 0;
}
