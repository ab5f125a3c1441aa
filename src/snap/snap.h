/* Publishing immutable, reference-counted snapshots from one writer to any number of readers.
 *
 * A snapshot is an object of the caller's that never changes once it is published, counted
 * by the caller's `ref` and `unref`. A reader object keeps one reference to the snapshot it
 * saw last, so a read is one relaxed load and a compare until something new was published.
 *
 * Memory: the current snapshot, and at most one older one for each reader that has not read
 * since. No helper threads, no registration of threads, nothing global.
 * The argument for all of it is at the top of snap.c. */
#ifndef FL_SNAP_SNAP_H
#define FL_SNAP_SNAP_H

#include <stdatomic.h>
#include <stdint.h>

#define FL_SNAP_LINE 64 /* bytes in a cache line: what one thread writes, others do not share */

/* How a snapshot is counted. Both may be called from any thread, at the same time. `ref`
 * gives its argument back, cannot fail and must be quick: a writer may wait for it. `unref`
 * runs where the last reference ends, which may be a reader's thread; it may publish. */
struct fl_snap_ops {
	void *(*ref)(void *object);
	void (*unref)(void *object);
};

struct fl_snap;

/* The caller's storage; to be used by one thread at a time. The fields are private. */
struct fl_snap_reader {
	_Alignas(FL_SNAP_LINE) const _Atomic uint64_t *newest; /* the publisher's epoch */
	uint64_t epoch;                                        /* of `object`; 0: no object */
	void *object;
	struct fl_snap *snap;
};

/* A publisher with `first` as its current snapshot, epoch 1. Takes one reference to `first`
 * (not NULL); the caller keeps its own. `ops` is kept, not copied.
 * Errors: FL_EINVAL, FL_ENOMEM. */
int fl_snap_new(struct fl_snap **out, const struct fl_snap_ops *ops, void *first);

/* Drops the current snapshot. Every reader must have ended (fini) before. NULL is fine. */
void fl_snap_free(struct fl_snap *snap);

/* Makes `object` (not NULL) the current snapshot and takes one reference to it; every read
 * that begins after this returns, in a thread that knows of it, finds it or a newer one, save
 * for the exception told at fl_snap_read. Gives the publisher's reference to the former one
 * back before it returns. Never fails, never allocates.
 *
 * One writer at a time: overlapping calls are a bug and stop the process. Waits only for
 * readers in the midst of a switch (two counts and a `ref`), at most one switch a reader, and
 * gives the processor away when that takes long. */
void fl_snap_publish(struct fl_snap *snap, void *object);

/* Publications so far, the first one counted. Any thread. */
uint64_t fl_snap_epoch(const struct fl_snap *snap);

/* The current snapshot with a reference for the caller. Lock-free: tries again only when
 * another publication has been completed meanwhile. For whoever reads seldom and wants no
 * reader object, and for the writer to derive the next one from. Any thread. */
void *fl_snap_current(struct fl_snap *snap);

/* A parked reader: holds no snapshot until its first read. O(1), cannot fail. */
void fl_snap_reader_init(struct fl_snap_reader *reader, struct fl_snap *snap);

/* Gives the reference back. Fine on a reader that is parked or already ended. */
void fl_snap_reader_fini(struct fl_snap_reader *reader);

/* Gives the reference back, for a thread that will be idle; the next read takes a new one. */
void fl_snap_reader_park(struct fl_snap_reader *reader);

/* The slow path of fl_snap_read; not for others. */
const void *fl_snap_reader_switch(struct fl_snap_reader *reader);

/* The epoch of what the last read gave; 0 when parked. Never goes backwards between parks. */
static inline uint64_t fl_snap_reader_epoch(const struct fl_snap_reader *reader)
{
	return reader->epoch;
}

/* The current snapshot; valid until the next read, park or fini of this reader.
 *
 * Never blocks and makes no system call of its own. When there is something new it makes a
 * bounded number of attempts to take it; each one fails only because yet another publication
 * was completed meanwhile, and then the reader goes on with what it has. A reader that has
 * nothing (new, or parked) attempts until it succeeds, so it always gets what was current at
 * some moment within the call. */
static inline const void *fl_snap_read(struct fl_snap_reader *reader)
{
	uint64_t newest = atomic_load_explicit(reader->newest, memory_order_relaxed);

	if (__builtin_expect(newest == reader->epoch, 1))
		return reader->object;
	return fl_snap_reader_switch(reader);
}

#endif
