/* The type Placement: one reference to an fl_placement, and its nodes' names as str by slot, so that a lookup makes no new object. Nothing in it changes, and it holds nothing that
 * could refer back to it, so it needs no part in garbage collection.
 *
 * The interpreter's lock is given up where much may be done: building, deriving, shares,
 * movement and batches. What those read is then kept alive by references on the stack. */
#include "placement.h"

#include <string.h>

#define GIL_BATCH 64 /* fewer keys are done sooner than the lock is given up and taken back */

struct placement {
	PyObject_HEAD fl_placement *p;
	PyObject *names; /* tuple by slot: str, or None */
};

static PyTypeObject *type_self; /* for type checks of arguments; lives for ever */

static struct placement *cast(PyObject *self)
{
	return (struct placement *)self;
}

/* ---- life ---- */

static PyObject *names_of(const fl_placement *p)
{
	uint32_t slots = fl_placement_slots(p);
	PyObject *names = PyTuple_New((Py_ssize_t)slots);
	for (uint32_t i = 0; names && i < slots; i++) {
		const struct fl_node *node = fl_placement_node(p, i);
		PyObject *name = node ? PyUnicode_FromString(node->name) : Py_NewRef(Py_None);
		if (!name || PyTuple_SetItem(names, (Py_ssize_t)i, name) < 0)
			Py_CLEAR(names);
	}
	return names;
}

/* Takes over the reference to p, also on failure. */
static PyObject *wrap(PyTypeObject *type, fl_placement *p)
{
	allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = alloc(type, 0);
	if (!self) {
		fl_placement_unref(p);
		return NULL;
	}
	cast(self)->p = p;
	cast(self)->names = names_of(p);
	if (!cast(self)->names)
		Py_CLEAR(self);
	return self;
}

static void dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	fl_placement_unref(cast(self)->p);
	Py_XDECREF(cast(self)->names);
	release(self);
	Py_DECREF(type);
}

static PyObject *build(PyTypeObject *type, PyObject *spec, PyObject *tuple)
{
	Py_ssize_t count = PyTuple_Size(tuple);
	const char *text = PyUnicode_AsUTF8AndSize(spec, NULL);
	struct fl_node *nodes = PyMem_Calloc((size_t)count + 1, sizeof(*nodes));
	struct fl_error err = {0};
	fl_placement *p = NULL;
	int rc = 0;
	if (!nodes)
		PyErr_NoMemory();
	if (!nodes || !text)
		goto fail;
	for (Py_ssize_t i = 0; i < count; i++) {
		if (node_get(PyTuple_GetItem(tuple, i), &nodes[i]) < 0)
			goto fail;
	}
	Py_BEGIN_ALLOW_THREADS rc = fl_placement_new(&p, text, nodes, (size_t)count, &err);
	Py_END_ALLOW_THREADS PyMem_Free(nodes);
	return rc == FL_OK ? wrap(type, p) : errors_raise(rc, &err);
fail:
	PyMem_Free(nodes);
	return NULL;
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *spec, *nodes, *tuple, *self;
	(void)kwargs;
	if (!PyArg_ParseTuple(args, "UO:Placement", &spec, &nodes))
		return NULL;
	if (!(tuple = PySequence_Tuple(nodes)))
		return NULL;
	self = build(type, spec, tuple);
	Py_DECREF(tuple);
	return self;
}

static PyObject *save(PyObject *self, PyObject *unused)
{
	size_t size = fl_placement_save(cast(self)->p, NULL, 0);
	char *buffer = PyMem_Malloc(size);
	PyObject *bytes;
	(void)unused;
	if (!buffer)
		return PyErr_NoMemory();
	fl_placement_save(cast(self)->p, buffer, size);
	bytes = PyBytes_FromStringAndSize(buffer, (Py_ssize_t)size);
	PyMem_Free(buffer);
	return bytes;
}

static PyObject *load(PyObject *type, PyObject *args)
{
	struct fl_error err = {0};
	fl_placement *p = NULL;
	PyObject *spec_text, *bytes;
	const char *text;
	char *data;
	Py_ssize_t size;
	int rc;
	if (!PyArg_ParseTuple(args, "US:load", &spec_text, &bytes) ||
		!(text = PyUnicode_AsUTF8AndSize(spec_text, NULL)) ||
		PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
		return NULL;
	Py_BEGIN_ALLOW_THREADS rc = fl_placement_load(&p, text, data, (size_t)size, &err);
	Py_END_ALLOW_THREADS return rc == FL_OK ? wrap((PyTypeObject *)type, p)
						: errors_raise(rc, &err);
}

/* ---- lookup ---- */

static PyObject *name_at(PyObject *self, uint32_t slot)
{
	return Py_NewRef(slot == FL_NONE
				 ? Py_None
				 : PyTuple_GetItem(cast(self)->names, (Py_ssize_t)slot));
}

static PyObject *lookup(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"key", (char *)"down", NULL};
	PyObject *object, *down = NULL;
	struct held_mask mask;
	struct held_key key;
	uint32_t slot = FL_NONE;
	int rc;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:lookup", names, &object, &down) ||
		mask_get(cast(self)->p, down, &mask) < 0)
		return NULL;
	if (key_get(object, &key) < 0) {
		mask_release(&mask);
		return NULL;
	}
	rc = fl_pick(cast(self)->p, &key.key, &mask.mask, &slot);
	key_release(&key);
	mask_release(&mask);
	return rc == FL_OK ? name_at(self, slot) : errors_raise(rc, NULL);
}

static PyObject *list_of(PyObject *self, const uint32_t *slots, Py_ssize_t count)
{
	PyObject *list = PyList_New(count);
	for (Py_ssize_t i = 0; list && i < count; i++) {
		if (PyList_SetItem(list, i, name_at(self, slots[i])) < 0)
			Py_CLEAR(list);
	}
	return list;
}

typedef int find_owners(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, const char *zone, uint32_t *slots, size_t k);

static int find_plain(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, const char *zone, uint32_t *slots, size_t k)
{
	(void)zone;
	return fl_owners(p, key, mask, slots, k);
}

static int find_spread(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, const char *zone, uint32_t *slots, size_t k)
{
	(void)zone;
	return fl_owners_spread(p, key, mask, slots, k);
}

static PyObject *owners_by(PyObject *self, find_owners *find, PyObject *object,
	const char *zone, Py_ssize_t k, PyObject *down)
{
	Py_ssize_t most = (Py_ssize_t)fl_placement_count(cast(self)->p);
	struct held_mask mask;
	struct held_key key;
	PyObject *list;
	int count;
	if (k < 0)
		return PyErr_Format(PyExc_ValueError, "k is %zd, and must not be negative", k);
	k = k < most ? k : most;
	if (mask_get(cast(self)->p, down, &mask) < 0)
		return NULL;
	if (key_get(object, &key) < 0) {
		mask_release(&mask);
		return NULL;
	}
	uint32_t *slots = PyMem_Malloc(((size_t)k + 1) * sizeof(*slots));
	count = slots ? find(cast(self)->p, &key.key, &mask.mask, zone, slots, (size_t)k)
	              : FL_ENOMEM;
	key_release(&key);
	mask_release(&mask);
	list = count >= 0 ? list_of(self, slots, count) : errors_raise(count, NULL);
	PyMem_Free(slots);
	return list;
}

static PyObject *owners(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"key", (char *)"k", (char *)"down", NULL};
	PyObject *key, *down = NULL;
	Py_ssize_t k;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On|O:owners", names, &key, &k, &down))
		return NULL;
	return owners_by(self, find_plain, key, NULL, k, down);
}

static PyObject *owners_spread(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"key", (char *)"k", (char *)"down", NULL};
	PyObject *key, *down = NULL;
	Py_ssize_t k;
	if (!PyArg_ParseTupleAndKeywords(
		    args, kwargs, "On|O:owners_spread", names, &key, &k, &down))
		return NULL;
	return owners_by(self, find_spread, key, NULL, k, down);
}

static PyObject *owners_near(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {
		(char *)"key", (char *)"zone", (char *)"k", (char *)"down", NULL};
	PyObject *key, *down = NULL;
	const char *zone;
	Py_ssize_t k;
	if (!PyArg_ParseTupleAndKeywords(
		    args, kwargs, "Ozn|O:owners_near", names, &key, &zone, &k, &down))
		return NULL;
	return owners_by(self, fl_owners_near, key, zone, k, down);
}

/* One block for the keys and their slots; freed by one call. */
struct batch {
	Py_ssize_t count;
	struct fl_key *keys;
	uint32_t *slots;
};

static int batch_fill(struct batch *b, PyObject *tuple)
{
	b->count = PyTuple_Size(tuple);
	b->keys = PyMem_Malloc(((size_t)b->count + 1) * (sizeof(*b->keys) + sizeof(*b->slots)));
	if (!b->keys) {
		PyErr_NoMemory();
		return -1;
	}
	b->slots = (uint32_t *)(b->keys + b->count + 1);
	for (Py_ssize_t i = 0; i < b->count; i++) {
		if (key_borrow(PyTuple_GetItem(tuple, i), &b->keys[i]) < 0)
			return -1;
	}
	return 0;
}

static int batch_run(const fl_placement *p, struct batch *b, const struct fl_mask *mask)
{
	int rc;
	if (b->count < GIL_BATCH)
		return fl_lookup_batch(p, b->keys, (size_t)b->count, mask, b->slots);
	Py_BEGIN_ALLOW_THREADS rc =
		fl_lookup_batch(p, b->keys, (size_t)b->count, mask, b->slots);
	Py_END_ALLOW_THREADS return rc;
}

static PyObject *lookup_many(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"keys", (char *)"down", NULL};
	PyObject *keys, *down = NULL, *tuple, *list = NULL;
	struct batch b = {0, NULL, NULL};
	struct held_mask mask;
	if (!PyArg_ParseTupleAndKeywords(
		    args, kwargs, "O|O:lookup_many", names, &keys, &down) ||
		mask_get(cast(self)->p, down, &mask) < 0)
		return NULL;
	/* A tuple of our own keeps the keys alive while others may change the list. */
	if (!(tuple = PySequence_Tuple(keys))) {
		mask_release(&mask);
		return NULL;
	}
	if (batch_fill(&b, tuple) == 0) {
		int rc = batch_run(cast(self)->p, &b, &mask.mask);
		list = rc == FL_OK ? list_of(self, b.slots, b.count) : errors_raise(rc, NULL);
	}
	PyMem_Free(b.keys);
	mask_release(&mask);
	Py_DECREF(tuple);
	return list;
}

static PyObject *hash_key(PyObject *self, PyObject *object)
{
	struct held_key key;
	uint64_t hash;
	if (!(fl_placement_capabilities(cast(self)->p) & FL_BY_HASH))
		return errors_raise(FL_ENOTSUP, NULL);
	if (key_get(object, &key) < 0)
		return NULL;
	hash = fl_placement_hash(cast(self)->p, key.key.bytes, key.key.len);
	key_release(&key);
	return PyLong_FromUnsignedLongLong(hash);
}

static PyObject *lookup_hash(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"hash", (char *)"down", NULL};
	PyObject *number, *down = NULL;
	struct held_mask mask;
	uint32_t slot = FL_NONE;
	if (!PyArg_ParseTupleAndKeywords(
		    args, kwargs, "O!|O:lookup_hash", names, &PyLong_Type, &number, &down))
		return NULL;
	struct fl_key key = fl_key_hash(PyLong_AsUnsignedLongLong(number));
	if (PyErr_Occurred() || mask_get(cast(self)->p, down, &mask) < 0)
		return NULL;
	int rc = fl_pick(cast(self)->p, &key, &mask.mask, &slot);
	mask_release(&mask);
	return rc == FL_OK ? name_at(self, slot) : errors_raise(rc, NULL);
}

/* ---- changes ---- */

static PyObject *derive(PyObject *self, PyObject *args)
{
	struct fl_change change = {FL_ADD, {NULL, 0, FL_NONE, NULL}};
	struct fl_error err = {0};
	fl_placement *p = NULL;
	PyObject *tuple;
	int kind, rc;
	if (!PyArg_ParseTuple(args, "iO!:_derive", &kind, &PyTuple_Type, &tuple) ||
		node_get(tuple, &change.node) < 0)
		return NULL;
	change.kind = kind == FL_REMOVE     ? FL_REMOVE
	              : kind == FL_REWEIGHT ? FL_REWEIGHT
	                                    : FL_ADD;
	Py_BEGIN_ALLOW_THREADS rc = fl_placement_derive(&p, cast(self)->p, &change, 1, &err);
	Py_END_ALLOW_THREADS return rc == FL_OK ? wrap(Py_TYPE(self), p)
						: errors_raise(rc, &err);
}

static PyObject *flows_of(const struct fl_movement *m)
{
	PyObject *list = PyList_New((Py_ssize_t)m->count);
	for (size_t i = 0; list && i < m->count; i++) {
		const struct fl_flow *f = &m->flows[i];
		PyObject *flow = Py_BuildValue("(zzd)", f->from, f->to, f->share);
		if (!flow || PyList_SetItem(list, (Py_ssize_t)i, flow) < 0)
			Py_CLEAR(list);
	}
	return list;
}

static PyObject *movement(PyObject *self, PyObject *args)
{
	struct fl_movement *m = NULL;
	struct fl_error err = {0};
	PyObject *other, *flows, *result = NULL;
	Py_ssize_t samples;
	int rc;
	if (!PyArg_ParseTuple(args, "O!n:_movement", type_self, &other, &samples))
		return NULL;
	if (samples < 0)
		return PyErr_Format(PyExc_ValueError, "samples must not be negative");
	Py_BEGIN_ALLOW_THREADS rc =
		fl_movement_new(&m, cast(self)->p, cast(other)->p, (size_t)samples, &err);
	Py_END_ALLOW_THREADS if (rc != FL_OK) return errors_raise(rc, &err);
	if ((flows = flows_of(m)))
		result = Py_BuildValue("(dddNN)", m->moved, m->least, m->interval,
			PyBool_FromLong(m->exact), flows);
	fl_movement_free(m);
	return result;
}

static PyObject *dict_of(PyObject *self, const double *shares)
{
	PyObject *dict = PyDict_New();
	for (uint32_t i = 0; dict && i < fl_placement_slots(cast(self)->p); i++) {
		PyObject *name = PyTuple_GetItem(cast(self)->names, (Py_ssize_t)i), *share;
		if (name == Py_None)
			continue;
		share = PyFloat_FromDouble(shares[i]);
		if (!share || PyDict_SetItem(dict, name, share) < 0)
			Py_CLEAR(dict);
		Py_XDECREF(share);
	}
	return dict;
}

static PyObject *shares(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {(char *)"samples", NULL};
	Py_ssize_t samples = 0;
	PyObject *dict;
	int rc;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|n:shares", names, &samples))
		return NULL;
	if (samples < 0)
		return PyErr_Format(PyExc_ValueError, "samples must not be negative");
	double *list = PyMem_Calloc(fl_placement_slots(cast(self)->p) + 1u, sizeof(*list));
	if (!list)
		return PyErr_NoMemory();
	Py_BEGIN_ALLOW_THREADS rc = fl_shares(cast(self)->p, (size_t)samples, list);
	Py_END_ALLOW_THREADS dict = rc == FL_OK ? dict_of(self, list) : errors_raise(rc, NULL);
	PyMem_Free(list);
	return dict;
}

/* ---- properties ---- */

static PyObject *get_spec(PyObject *self, void *closure)
{
	(void)closure;
	char text[512]; /* always enough */
	fl_placement_spec(cast(self)->p, text, sizeof(text));
	return PyUnicode_FromString(text);
}

static PyObject *get_algorithm(PyObject *self, void *closure)
{
	(void)closure;
	return PyUnicode_FromString(fl_placement_algorithm(cast(self)->p));
}

static PyObject *get_capabilities(PyObject *self, void *closure)
{
	(void)closure;
	return PyLong_FromUnsignedLong(fl_placement_capabilities(cast(self)->p));
}

static PyObject *get_digest(PyObject *self, void *closure)
{
	(void)closure;
	return PyLong_FromUnsignedLongLong(fl_placement_digest(cast(self)->p));
}

static PyObject *get_memory(PyObject *self, void *closure)
{
	(void)closure;
	return PyLong_FromSize_t(fl_placement_memory(cast(self)->p));
}

/* All nodes as tuples, or the names of the starved ones. */
static PyObject *list_nodes(PyObject *self, bool starved)
{
	PyObject *list = PyList_New(0);
	for (uint32_t i = 0; list && i < fl_placement_slots(cast(self)->p); i++) {
		const struct fl_node *node = fl_placement_node(cast(self)->p, i);
		if (!node || (starved && !fl_placement_starved(cast(self)->p, i)))
			continue;
		PyObject *item = starved ? name_at(self, i) : node_new(node);
		if (!item || PyList_Append(list, item) < 0)
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

static PyObject *get_nodes(PyObject *self, void *closure)
{
	(void)closure;
	return list_nodes(self, false);
}

static PyObject *get_starved(PyObject *self, void *closure)
{
	(void)closure;
	return list_nodes(self, true);
}

static Py_ssize_t length(PyObject *self)
{
	return (Py_ssize_t)fl_placement_count(cast(self)->p);
}

/* ---- type ---- */

#define KEYWORDS  (METH_VARARGS | METH_KEYWORDS)
#define METHOD(f) ((PyCFunction)(void (*)(void))(f))

static PyMethodDef methods[] = {
	{"lookup", METHOD(lookup), KEYWORDS,
		"lookup(key, down=())\n--\n\nThe name of the node that owns the key, or None "
		"when "
		"nobody is left.\n\nkey: str (hashed as UTF-8), bytes or a buffer. down: names "
		"of "
		"nodes to leave out."},
	{"owners", METHOD(owners), KEYWORDS,
		"owners(key, k, down=())\n--\n\nThe first k distinct owners of the key, the "
		"one "
		"that lookup gives first; fewer only when\nfewer nodes are eligible."},
	{"owners_near", METHOD(owners_near), KEYWORDS,
		"owners_near(key, zone, k, down=())\n--\n\nAs owners, but those in the zone "
		"first; None: those without a zone."},
	{"owners_spread", METHOD(owners_spread), KEYWORDS,
		"owners_spread(key, k, down=())\n--\n\nAs owners, but spread over the zones: "
		"the first owner of each zone, then the second of\neach, and so on."},
	{"lookup_hash", METHOD(lookup_hash), KEYWORDS,
		"lookup_hash(hash, down=())\n--\n\nWhat lookup gives for a key of this hash, "
		"which hash made, or any uniform 64-bit number."},
	{"lookup_many", METHOD(lookup_many), KEYWORDS,
		"lookup_many(keys, down=())\n--\n\nWhat lookup gives for each key (str or "
		"bytes), "
		"as a list; other threads run meanwhile."},
	{"hash", hash_key, METH_O,
		"hash(key)\n--\n\nThe 64-bit hash that this placement gives the key. "
		"UnsupportedError for algorithms\nthat hash the key with each node."},
	{"shares", METHOD(shares), KEYWORDS,
		"shares(samples=0)\n--\n\nEach node's share of all keys, by name: exact where "
		"the "
		"algorithm's structure allows,\nelse from so many sampled keys (0: a "
		"million)."},
	{"save", save, METH_NOARGS,
		"save()\n--\n\nThe placement as bytes, the same on every machine; load makes "
		"it "
		"again. A secret is not in them."},
	{"load", load, METH_VARARGS | METH_CLASS,
		"load(spec, data)\n--\n\nThe placement that save made these bytes of; "
		"InvalidError "
		"if they are damaged or not of spec.\n\nspec: with the secret, if there was "
		"one."},
	{"_derive", derive, METH_VARARGS, NULL},
	{"_movement", movement, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
	{"spec", get_spec, NULL,
		"The algorithm and all its options, as the library takes them; a secret is "
		"\"***\" in it.",
		NULL},
	{"algorithm", get_algorithm, NULL, "The algorithm's name.", NULL},
	{"_capabilities", get_capabilities, NULL, NULL, NULL},
	{"digest", get_digest, NULL,
		"Identifies the mapping: equal digests mean equal owners of every key.", NULL},
	{"memory", get_memory, NULL, "Bytes the placement holds in the library.", NULL},
	{"_nodes", get_nodes, NULL, NULL, NULL},
	{"starved", get_starved, NULL,
		"Names of nodes that have a weight but that no key can reach.", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_methods, methods},
	{Py_tp_getset, properties},
	{Py_sq_length, length},
	{Py_tp_doc, (char *)"An immutable mapping from keys to named, weighted nodes."},
	{0, NULL},
};

static PyType_Spec spec = {"fairlead._core.Placement", sizeof(struct placement), 0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

const fl_placement *placement_get(PyObject *object)
{
	if (PyObject_TypeCheck(object, type_self))
		return cast(object)->p;
	PyErr_SetString(PyExc_TypeError, "a Placement is expected");
	return NULL;
}

PyObject *placement_name(PyObject *self, uint32_t slot)
{
	return name_at(self, slot);
}

int placement_slot(PyObject *object, PyObject *name, uint32_t *slot)
{
	const fl_placement *p = placement_get(object);
	return p ? slot_get(p, name, slot) : -1;
}

PyObject *placement_type_new(void)
{
	PyObject *type = PyType_FromSpec(&spec);
	type_self = (PyTypeObject *)type;
	return Py_XNewRef(type);
}
