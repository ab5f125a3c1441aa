/* Asking the balancer's admin socket, as the demo does it: one blocking request at a time. */
#ifndef FL_CLI_DEMO_ADMIN_H
#define FL_CLI_DEMO_ADMIN_H

#include <jansson.h>

/* GET `path` from the unix socket at `socket_path`: the answer's JSON, the caller's to json_decref.
 * NULL when there is no answer in 2 s, or none with status 200 and at most 1 MiB of JSON. */
json_t *fl_demo_admin_get(const char *socket_path, const char *path);

#endif
