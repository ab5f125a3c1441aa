/* Asking a running balancer's admin socket: one blocking request at a time. */
#ifndef FL_CLI_ADMIN_CLIENT_H
#define FL_CLI_ADMIN_CLIENT_H

#include "fairlead/fairlead.h"

#include <jansson.h>

/* Where it is asked. */
struct fl_admin_client {
	const char *address; /* "unix:/path", "127.0.0.1:9901", as the file's admin.listen */
	const char *token;   /* NULL: none; never written anywhere but into the request */
};

/* GET `path`: the answer's JSON, the caller's to json_decref; NULL with *err set (may be NULL) when
 * there is no answer within 5 s, more than 64 MiB of it, or a status other than 200: then the text is
 * what the balancer says. */
json_t *fl_admin_client_get(
	const struct fl_admin_client *client, const char *path, struct fl_error *err);

#endif
