#include "compat/libmemcached_server.h"

#include <stdio.h>
#include <string.h>

struct fl_lmc_server fl_lmc_server(const char *name)
{
	struct fl_lmc_server s = {name, strlen(name), FL_LMC_PORT};
	const char *colon = strrchr(name, ':');
	unsigned port = 0;
	if (!colon || colon[1] == '\0')
		return s;
	for (const char *at = colon + 1; *at; at++) {
		if (*at < '0' || *at > '9' || port > 6553)
			return s;
		port = 10 * port + (unsigned)(*at - '0');
	}
	if (port > 65535)
		return s;
	s.host_size = (size_t)(colon - name);
	s.port = port;
	return s;
}

void fl_lmc_server_text(char out[FL_SERVER_TEXT], const char *name)
{
	struct fl_lmc_server s = fl_lmc_server(name);
	if (s.port == FL_LMC_PORT)
		(void)snprintf(out, FL_SERVER_TEXT, "%.*s", (int)s.host_size, s.host);
	else
		(void)snprintf(
			out, FL_SERVER_TEXT, "%.*s:%u", (int)s.host_size, s.host, s.port);
}

void fl_lmc_server_text_spy(char out[FL_SERVER_TEXT], const char *name)
{
	struct fl_lmc_server s = fl_lmc_server(name);
	(void)snprintf(out, FL_SERVER_TEXT, "/%.*s:%u", (int)s.host_size, s.host, s.port);
}

int fl_lmc_server_compare(const char *a, const char *b)
{
	struct fl_lmc_server x = fl_lmc_server(a), y = fl_lmc_server(b);
	size_t least = x.host_size < y.host_size ? x.host_size : y.host_size;
	int order = memcmp(x.host, y.host, least);
	if (order != 0)
		return order;
	if (x.host_size != y.host_size)
		return x.host_size < y.host_size ? -1 : 1;
	return x.port < y.port ? -1 : x.port > y.port;
}
