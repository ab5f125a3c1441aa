#include "proxy/report.h"

#include "base/list.h"

#include <stdlib.h>

struct fl_reports {
	atomic_uint refs; /* the proxy's, and one of each message under way */
	bool closed;      /* the control thread's */
	struct fl_loop *control;
	void *cookie;
	void (*on_failing)(void *, struct fl_pool *, const char *, const char *);
	void (*on_drained)(void *);
	struct fl_task drained;
};

struct failing {
	struct fl_task task;
	struct fl_reports *reports;
	struct fl_pool *pool;
	struct fl_member *member;
	const char *why;
};

struct fl_reports *fl_reports_new(const struct fl_proxy_options *options)
{
	struct fl_reports *r = malloc(sizeof(*r));

	if (r)
		*r = (struct fl_reports){
			.refs = 1,
			.control = options->control,
			.cookie = options->cookie,
			.on_failing = options->on_failing,
			.on_drained = options->on_drained,
		};
	return r;
}

static struct fl_reports *ref(struct fl_reports *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

static void unref(struct fl_reports *r)
{
	if (atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1)
		free(r);
}

void fl_reports_close(struct fl_reports *r)
{
	if (!r)
		return;
	r->closed = true;
	unref(r);
}

static void tell_failing(struct fl_task *task)
{
	struct failing *f = fl_container_of(task, struct failing, task);

	if (!f->reports->closed)
		f->reports->on_failing(f->reports->cookie, f->pool, f->member->name, f->why);
	fl_member_unref(f->member);
	fl_pool_unref(f->pool);
	unref(f->reports);
	free(f);
}

void fl_reports_failing(
	struct fl_reports *r, struct fl_pool *pool, struct fl_member *member, const char *why)
{
	struct failing *f = r->on_failing ? malloc(sizeof(*f)) : NULL;

	if (!f)
		return;
	*f = (struct failing){
		.task = {.run = tell_failing},
		.reports = ref(r),
		.pool = fl_pool_ref(pool),
		.member = fl_member_ref(member),
		.why = why,
	};
	fl_loop_post(r->control, &f->task);
}

static void tell_drained(struct fl_task *task)
{
	struct fl_reports *r = fl_container_of(task, struct fl_reports, drained);

	if (!r->closed && r->on_drained)
		r->on_drained(r->cookie);
	unref(r);
}

void fl_reports_drained(struct fl_reports *r)
{
	r->drained.run = tell_drained;
	fl_loop_post(ref(r)->control, &r->drained);
}
