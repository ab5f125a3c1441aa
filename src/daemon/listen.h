/* The listening sockets of a configuration: made all together, or not at all. */
#ifndef FL_DAEMON_LISTEN_H
#define FL_DAEMON_LISTEN_H

#include "daemon/config.h"
#include "net/listen.h"
#include "proxy/proxy.h"

/* Fills conf->listeners from `config`. A listener that `old` (may be NULL) has under the same name
 * and bind is kept as it is; for the others one socket a worker is opened, or taken from
 * `in`, what came with the process. On failure every socket opened here is closed again. */
int fl_listen_all(struct fl_proxy_conf *conf, const struct fl_config *config,
	const struct fl_proxy_conf *old, unsigned workers, struct fl_inherited *in,
	struct fl_error *err);

/* Closes sockets that no worker was given. */
void fl_listen_undo(struct fl_proxy_conf *conf, unsigned workers);

#endif
