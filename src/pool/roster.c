/* The roster: every node that the operator named, in his order, with its states. It is the
 * control thread's own copy, from which placements and views are made; disabled nodes are in it
 * too, so that they find their stats and their slot again.
 *
 * Carrying over goes by name. What the file says of the admin state counts when the file has
 * changed its mind: a drain that was set at run time outlives a reload that says nothing new. */
#include "pool/pool_priv.h"

#include "base/error.h"
#include "lib/spec.h"

#include <stdlib.h>

struct fl_effective fl_entry_effective(const struct fl_entry *entry)
{
	return fl_state_effective(entry->admin, entry->health);
}

bool fl_entry_in(const struct fl_entry *entry, unsigned t)
{
	return fl_entry_effective(entry).built && entry->member->backup == (t != 0);
}

void fl_entry_settle(
	struct fl_entry *entry, bool was_owner, uint64_t slow_start_ms, uint64_t now_ms)
{
	bool owner = fl_entry_effective(entry).owner;

	if (!owner || !slow_start_ms)
		entry->ramp_start = 0;
	else if (!was_owner)
		entry->ramp_start = now_ms ? now_ms : 1;
}

static int by_name(const void *a, const void *b)
{
	const struct fl_entry *const *x = a, *const *y = b;

	return strcmp((*x)->member->name, (*y)->member->name);
}

static int name_to_entry(const void *name, const void *b)
{
	const struct fl_entry *const *y = b;

	return strcmp(name, (*y)->member->name);
}

struct fl_entry *fl_roster_find(const struct fl_roster *roster, const char *name)
{
	struct fl_entry **found;

	if (!roster || !roster->count)
		return NULL;
	found = bsearch(
		name, roster->by_name, roster->count, sizeof(struct fl_entry *), name_to_entry);
	return found ? *found : NULL;
}

void fl_roster_free(struct fl_roster *roster)
{
	if (!roster)
		return;
	for (size_t i = 0; roster->entries && i < roster->count; i++)
		fl_member_unref(roster->entries[i].member);
	free(roster->entries);
	free(roster->by_name);
	free(roster->spec);
	free(roster->shown);
	free(roster);
}

static struct fl_roster *roster_alloc(const char *spec, uint64_t slow_start_ms, size_t count)
{
	struct fl_roster *r = calloc(1, sizeof(*r));
	char shown[FL_SPEC_TEXT];

	if (!r)
		return NULL;
	fl_spec_hide(shown, spec);
	r->count = count;
	r->slow_start_ms = slow_start_ms;
	r->spec = strdup(spec);
	r->shown = strdup(shown);
	r->entries = calloc(count ? count : 1, sizeof(*r->entries));
	r->by_name = calloc(count ? count : 1, sizeof(struct fl_entry *));
	if (r->spec && r->shown && r->entries && r->by_name)
		return r;
	fl_roster_free(r);
	return NULL;
}

static void roster_sort(struct fl_roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		r->by_name[i] = &r->entries[i];
	qsort(r->by_name, r->count, sizeof(struct fl_entry *), by_name);
}

int fl_roster_copy(struct fl_roster **out, const struct fl_roster *from)
{
	struct fl_roster *r = roster_alloc(from->spec, from->slow_start_ms, from->count);

	if (!r)
		return FL_ENOMEM;
	for (size_t i = 0; i < r->count; i++) {
		r->entries[i] = from->entries[i];
		fl_member_ref(r->entries[i].member);
	}
	roster_sort(r);
	*out = r;
	return FL_OK;
}

static int check_node(const struct fl_node_conf *n, struct fl_error *err)
{
	size_t len = n->name ? strlen(n->name) : 0;

	if (len < 1 || len > FL_MAX_NAME)
		return fl_error_set(err, FL_EINVAL,
			"a node's name has %zu bytes; expected 1 to %d", len, FL_MAX_NAME);
	if (n->weight < 0 || n->weight > FL_MAX_WEIGHT)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.64s\": weight %lld; expected 0 to %d", n->name,
			(long long)n->weight, FL_MAX_WEIGHT);
	if (n->slot < -1 || n->slot >= FL_MAX_NODES)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.64s\": slot %lld; expected 0 to %u", n->name,
			(long long)n->slot, FL_MAX_NODES - 1);
	if (n->zone && strlen(n->zone) > FL_MAX_NAME)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.64s\": the zone has more than %d bytes", n->name,
			FL_MAX_NAME);
	if (n->admin < FL_ADMIN_ENABLED || n->admin > FL_ADMIN_DISABLED)
		return fl_error_set(
			err, FL_EINVAL, "node \"%.64s\": no such state: %d", n->name, n->admin);
	return FL_OK;
}

static int check_unique(const struct fl_roster *r, struct fl_error *err)
{
	for (size_t i = 1; i < r->count; i++) {
		const char *name = r->by_name[i]->member->name;

		if (strcmp(r->by_name[i - 1]->member->name, name) == 0)
			return fl_error_set(
				err, FL_EEXIST, "there are two nodes called \"%.64s\"", name);
	}
	return FL_OK;
}

/* Fills `e`, which is zero, from conf and from what the node of that name was before. */
static int entry_init(struct fl_entry *e, const struct fl_node_conf *conf,
	const struct fl_entry *was, unsigned workers)
{
	e->conf_slot = conf->slot;
	e->conf_admin = (enum fl_admin_state)conf->admin;
	e->admin = e->conf_admin;
	e->slot = FL_NONE;
	if (was) {
		if (was->conf_admin == e->conf_admin)
			e->admin = was->admin;
		e->health = was->health;
		e->ramp_start = was->ramp_start;
		if (was->member->backup == conf->backup)
			e->slot = was->slot;
	}
	e->member = was && fl_member_is(was->member, conf)
	                    ? fl_member_ref(was->member)
	                    : fl_member_new(conf, was ? was->member : NULL, workers);
	return e->member ? FL_OK : FL_ENOMEM;
}

int fl_roster_new(struct fl_roster **out, const struct fl_pool_conf *conf,
	const struct fl_roster *old, unsigned workers, uint64_t now_ms, struct fl_error *err)
{
	struct fl_roster *r;
	int rc = FL_OK;

	if (conf->count > FL_MAX_NODES)
		return fl_error_set(err, FL_ELIMIT, "%zu nodes; a pool holds %u at most",
			conf->count, FL_MAX_NODES);
	r = roster_alloc(conf->spec ? conf->spec : "table", conf->slow_start_ms, conf->count);
	if (!r)
		return fl_error_set(err, FL_ENOMEM, "no memory for the nodes of a pool");
	for (size_t i = 0; rc == FL_OK && i < conf->count; i++) {
		const struct fl_node_conf *n = &conf->nodes[i];
		const struct fl_entry *was = NULL;

		rc = check_node(n, err);
		if (rc != FL_OK)
			break;
		was = fl_roster_find(old, n->name);
		rc = entry_init(&r->entries[i], n, was, workers);
		if (rc != FL_OK)
			(void)fl_error_set(err, rc, "no memory for a node");
		else
			fl_entry_settle(&r->entries[i],
				!old || (was && fl_entry_effective(was).owner),
				r->slow_start_ms, now_ms);
	}
	if (rc == FL_OK) {
		roster_sort(r);
		rc = check_unique(r, err);
	}
	if (rc != FL_OK) {
		fl_roster_free(r);
		return rc;
	}
	*out = r;
	return FL_OK;
}
