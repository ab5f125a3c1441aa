/* What the two files of the configuration share; nobody else includes it. */
#ifndef FL_DAEMON_CONFIG_PRIV_H
#define FL_DAEMON_CONFIG_PRIV_H

#include "daemon/config.h"

/* Everything that a row cannot see. Reports to config->conf; adds the route that one listener
 * and one pool imply. 0, or -1 with errors. */
int fl_config_check(struct fl_config *config, enum fl_config_use use);

#endif
