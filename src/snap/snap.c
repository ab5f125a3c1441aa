/* Publishing snapshots: two doors, of which the current one is always open.
 *
 * The publisher has two slots. A slot is a *gate* (a count of the readers inside, and a CLOSED
 * bit) in front of an object and its epoch. Between publications the slot `epoch & 1` is open
 * and holds the current object with one reference; the other one is closed and empty.
 *
 * Publish e+1 (one writer):                    Take (any reader):
 *   W1 write object, epoch into slot e+1         R1 e = load newest
 *   W2 gate[e+1] &= ~CLOSED       release        R2 g = gate[e]++              acquire
 *   W3 newest = e+1               release        R3 g is CLOSED, or the slot's epoch
 *   W4 gate[e] |= CLOSED          acq_rel           is not e: gate[e]--, failed
 *   W5 wait until gate[e] counts 0, acquire      R4 else ref(object)
 *   W6 unref the object of slot e                R5 gate[e]--                  release
 *
 * No use after free. All writes to a gate are read-modify-writes, so they form one chain in
 * which each reads the one before, and every release in it heads a release sequence that the
 * rest of the chain continues. A reader that found the gate open at R2 is in the chain before
 * W4 and has raised the count; W5 reads 0 only after its R5, and synchronizes with it. So R4
 * happens before W6: the object still had the slot's reference when the reader added its own.
 * A reader after W4 in the chain sees CLOSED and touches nothing behind the gate.
 *
 * No data race. Object and epoch of a slot are plain fields, written at W1 and read at R4. R4
 * of the publication before last happens before W5 of the last one, hence before W1; W1
 * happens before R4 by W2 and R2 (again through the chain). The count of a closed gate may be
 * raised and lowered by readers that fail, which disturbs no one. No fences are used, so that
 * ThreadSanitizer can follow the whole argument.
 *
 * Readers never block. A closed gate at R3 means that the reader saw W4 of the publication
 * after e; W4 releases, R2 acquires and W3 comes before W4, so the next R1 must see a newer
 * epoch and the reader goes to the other slot. An open gate with another epoch means the same
 * by W2 of the publication after that. So an attempt fails only when a publication was
 * completed since its R1, however long a writer or another reader is off the processor in the
 * midst of its work. With an object in hand a reader stops after TRIES attempts: wait-free.
 * Without one it goes on: lock-free.
 *
 * The writer waits only at W5, for readers between R2 and R5. After W4 a reader can enter
 * that gate at most once, since it must learn the newer epoch there; so the wait is for at
 * most one switch of each reader and cannot be prolonged by readers that keep coming.
 *
 * What a reader sees never goes backwards: it takes only what carries the very epoch that R1
 * saw, and R1 (one atomic object, coherence) is monotone. Taking whatever an open gate holds
 * would not do: a slot is open from W2 on, and a reader that slept between R1 and R2 for two
 * publications could take e+2 before W3, and find `newest` to be e+1 at its next read.
 *
 * Cost: a read with nothing new is one load of a line that only publications write. A switch
 * is two read-modify-writes on the gate, the ref and the unref. A publication is three. */
#include "snap/snap.h"

#include "base/assert.h"
#include "fairlead/fairlead.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define CLOSED       (1u << 31)
#define TRIES        3 /* attempts of a reader that has something to go on with */
#define SPIN_ROUNDS  64
#define YIELD_ROUNDS 256
#define NAP_NS       50000

struct slot {
	_Alignas(FL_SNAP_LINE) _Atomic uint32_t gate;
	uint64_t epoch;
	void *object;
};

struct fl_snap {
	_Alignas(FL_SNAP_LINE) _Atomic uint64_t newest;
	struct slot slots[2];
	_Alignas(FL_SNAP_LINE) _Atomic bool writing; /* guards against overlapping writers */
	const struct fl_snap_ops *ops;
};

int fl_snap_new(struct fl_snap **out, const struct fl_snap_ops *ops, void *first)
{
	struct fl_snap *snap;

	if (!first || !ops)
		return FL_EINVAL;
	snap = aligned_alloc(FL_SNAP_LINE, sizeof(*snap));
	if (!snap)
		return FL_ENOMEM;
	snap->ops = ops;
	atomic_init(&snap->writing, false);
	atomic_init(&snap->newest, 1);
	atomic_init(&snap->slots[0].gate, CLOSED);
	snap->slots[0].epoch = 0;
	snap->slots[0].object = NULL;
	atomic_init(&snap->slots[1].gate, 0);
	snap->slots[1].epoch = 1;
	snap->slots[1].object = ops->ref(first);
	*out = snap;
	return FL_OK;
}

void fl_snap_free(struct fl_snap *snap)
{
	uint64_t epoch;

	if (!snap)
		return;
	epoch = atomic_load_explicit(&snap->newest, memory_order_acquire);
	snap->ops->unref(snap->slots[epoch & 1].object);
	free(snap);
}

/* W5. Spins first, because a switch takes nanoseconds; then yields, and at last sleeps, in
 * case a reader was taken off the processor and this thread has the higher priority. */
static void wait_until_empty(struct slot *slot)
{
	const struct timespec nap = {0, NAP_NS};

	for (unsigned round = 0;; round++) {
		if (atomic_load_explicit(&slot->gate, memory_order_acquire) == CLOSED)
			return;
		if (round < SPIN_ROUNDS)
			continue;
		if (round < SPIN_ROUNDS + YIELD_ROUNDS)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
}

void fl_snap_publish(struct fl_snap *snap, void *object)
{
	uint64_t epoch;
	struct slot *next, *last;
	void *former;

	FL_ASSERT(object);
	FL_ASSERT(!atomic_exchange_explicit(&snap->writing, true, memory_order_acquire));
	epoch = atomic_load_explicit(&snap->newest, memory_order_relaxed);
	last = &snap->slots[epoch & 1];
	next = &snap->slots[(epoch + 1) & 1];

	next->object = snap->ops->ref(object);
	next->epoch = epoch + 1;
	atomic_fetch_and_explicit(&next->gate, ~CLOSED, memory_order_release);
	atomic_store_explicit(&snap->newest, epoch + 1, memory_order_release);
	atomic_fetch_or_explicit(&last->gate, CLOSED, memory_order_acq_rel);
	wait_until_empty(last);
	former = last->object;
	last->object = NULL;

	/* Before the unref, because a destructor may want to publish. */
	atomic_store_explicit(&snap->writing, false, memory_order_release);
	snap->ops->unref(former);
}

uint64_t fl_snap_epoch(const struct fl_snap *snap)
{
	return atomic_load_explicit(&snap->newest, memory_order_acquire);
}

/* R1 to R5: the current object with a reference added, or NULL when another publication was
 * completed meanwhile. *epoch is written on success only. */
static void *try_take(struct fl_snap *snap, uint64_t *epoch)
{
	uint64_t newest = atomic_load_explicit(&snap->newest, memory_order_relaxed);
	struct slot *slot = &snap->slots[newest & 1];
	uint32_t gate = atomic_fetch_add_explicit(&slot->gate, 1, memory_order_acquire);
	void *object = NULL;

	if (!(gate & CLOSED) && slot->epoch == newest) {
		object = snap->ops->ref(slot->object);
		*epoch = newest;
	}
	atomic_fetch_sub_explicit(&slot->gate, 1, memory_order_release);
	return object;
}

void *fl_snap_current(struct fl_snap *snap)
{
	uint64_t epoch;
	void *object;

	do {
		object = try_take(snap, &epoch);
	} while (!object);
	return object;
}

void fl_snap_reader_init(struct fl_snap_reader *reader, struct fl_snap *snap)
{
	reader->newest = &snap->newest;
	reader->snap = snap;
	reader->epoch = 0;
	reader->object = NULL;
}

void fl_snap_reader_fini(struct fl_snap_reader *reader)
{
	fl_snap_reader_park(reader);
}

void fl_snap_reader_park(struct fl_snap_reader *reader)
{
	void *object = reader->object;

	if (!object)
		return;
	reader->object = NULL;
	reader->epoch = 0; /* never an epoch, so the next read takes the slow path */
	reader->snap->ops->unref(object);
}

const void *fl_snap_reader_switch(struct fl_snap_reader *reader)
{
	struct fl_snap *snap = reader->snap;
	void *former = reader->object, *object;
	unsigned tries = 0;

	do {
		object = try_take(snap, &reader->epoch);
	} while (!object && (!former || ++tries < TRIES));
	if (!object)
		return former;
	reader->object = object;
	if (former)
		snap->ops->unref(former);
	return object;
}
