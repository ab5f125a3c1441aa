/* What the workers tell the control thread. Private to proxy/.
 *
 * A message is a task on the control loop, and may be in its queue still when the proxy is gone;
 * so messages share an object that outlives the proxy, and that knows when nobody wants to hear
 * any more. */
#ifndef FL_PROXY_REPORT_H
#define FL_PROXY_REPORT_H

#include "proxy/proxy.h"

struct fl_reports;

/* NULL without memory. The callbacks, cookie and loop are taken from `options`. */
struct fl_reports *fl_reports_new(const struct fl_proxy_options *options);

/* No callback comes any more. The control thread; NULL is fine. */
void fl_reports_close(struct fl_reports *r);

/* Has on_failing called. `why` is a literal. Any worker. Without memory nothing is said. */
void fl_reports_failing(
	struct fl_reports *r, struct fl_pool *pool, struct fl_member *member, const char *why);

/* Has on_drained called. Any worker, once in the life of `r`. */
void fl_reports_drained(struct fl_reports *r);

#endif
