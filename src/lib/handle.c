/* The public face of snap/: a handle publishes placements, a reader looks at the newest.
 *
 * Nothing is added here but types: a placement is a snapshot, and its own reference count is
 * what counts it. So what snap.c argues holds as it is: a get is one load and a compare until
 * something new was published; the first get of a reader, and the first one after a park,
 * always returns what was current within the call (it tries again only when yet another
 * publication was completed meanwhile, so no writer, however slow, can hold it up).
 *
 * Subscribers are called on the writer's thread after readers can see the new placement, with a
 * reference to both held for them; they cost readers nothing. */
#include "fairlead/fairlead.h"

#include "base/assert.h"
#include "snap/snap.h"

#include <stdlib.h>

struct subscriber {
	fl_published *told; /* NULL: the place is free */
	void *cookie;
};

struct fl_handle {
	struct fl_snap *snap;
	struct subscriber subscribers[FL_MAX_SUBSCRIBERS];
	size_t subscribed; /* places in use */
	bool telling;
};

struct fl_reader {
	struct fl_snap_reader snap;
};

static void *placement_ref(void *placement)
{
	return fl_placement_ref(placement);
}

static void placement_unref(void *placement)
{
	fl_placement_unref(placement);
}

static const struct fl_snap_ops placement_ops = {placement_ref, placement_unref};

int fl_handle_new(fl_handle **out, const fl_placement *first)
{
	fl_handle *h;
	int code;

	if (!out || !first)
		return FL_EINVAL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return FL_ENOMEM;
	code = fl_snap_new(&h->snap, &placement_ops, (void *)first);
	if (code != FL_OK) {
		free(h);
		return code;
	}
	*out = h;
	return FL_OK;
}

void fl_handle_free(fl_handle *h)
{
	if (!h)
		return;
	fl_snap_free(h->snap);
	free(h);
}

static void tell(fl_handle *h, const fl_placement *before, const fl_placement *after)
{
	h->telling = true;
	for (size_t i = 0; i < FL_MAX_SUBSCRIBERS; i++) {
		struct subscriber s = h->subscribers[i];
		if (s.told)
			s.told(s.cookie, before, after);
	}
	h->telling = false;
}

void fl_handle_publish(fl_handle *h, const fl_placement *p)
{
	fl_placement *before = NULL;

	FL_ASSERT(!h->telling);
	if (h->subscribed > 0)
		before = fl_snap_current(h->snap);
	fl_snap_publish(h->snap, (void *)p);
	if (before)
		tell(h, before, p);
	fl_placement_unref(before);
}

static struct subscriber *find(fl_handle *h, fl_published *told, void *cookie)
{
	for (size_t i = 0; i < FL_MAX_SUBSCRIBERS; i++) {
		struct subscriber *s = &h->subscribers[i];
		if (s->told == told && (!told || s->cookie == cookie))
			return s;
	}
	return NULL;
}

int fl_handle_subscribe(fl_handle *h, fl_published *told, void *cookie)
{
	struct subscriber *place;

	if (!h || !told)
		return FL_EINVAL;
	if (find(h, told, cookie))
		return FL_EEXIST;
	place = find(h, NULL, NULL);
	if (!place)
		return FL_ELIMIT;
	*place = (struct subscriber){told, cookie};
	h->subscribed++;
	return FL_OK;
}

int fl_handle_unsubscribe(fl_handle *h, fl_published *told, void *cookie)
{
	struct subscriber *s;

	if (!h || !told)
		return FL_EINVAL;
	s = find(h, told, cookie);
	if (!s)
		return FL_ENOENT;
	*s = (struct subscriber){NULL, NULL};
	h->subscribed--;
	return FL_OK;
}

uint64_t fl_handle_epoch(const fl_handle *h)
{
	return fl_snap_epoch(h->snap);
}

int fl_reader_new(fl_reader **out, fl_handle *h)
{
	fl_reader *r;

	if (!out || !h)
		return FL_EINVAL;
	r = aligned_alloc(_Alignof(fl_reader), sizeof(*r));
	if (!r)
		return FL_ENOMEM;
	fl_snap_reader_init(&r->snap, h->snap);
	*out = r;
	return FL_OK;
}

void fl_reader_free(fl_reader *r)
{
	if (!r)
		return;
	fl_snap_reader_fini(&r->snap);
	free(r);
}

const fl_placement *fl_reader_get(fl_reader *r)
{
	return fl_snap_read(&r->snap);
}

void fl_reader_park(fl_reader *r)
{
	fl_snap_reader_park(&r->snap);
}
