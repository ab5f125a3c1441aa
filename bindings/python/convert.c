#include "convert.h"

#include <string.h>

static PyObject *base_error;

static struct {
	int code;
	const char *name, *doc;
	PyObject **also; /* a built-in that it is as well */
	PyObject *type;
} kinds[] = {
	{FL_EINVAL, "InvalidError", "An argument is wrong; the text says which.",
		&PyExc_ValueError, NULL},
	{FL_ELIMIT, "LimitError", "Over a documented limit.", &PyExc_ValueError, NULL},
	{FL_EEXIST, "ExistsError", "A name or slot is there twice.", &PyExc_ValueError, NULL},
	{FL_ENOENT, "NotFoundError", "No such node, algorithm or option.", &PyExc_LookupError,
		NULL},
	{FL_ENOTSUP, "UnsupportedError", "The algorithm cannot do that.",
		&PyExc_NotImplementedError, NULL},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int add_kind(PyObject *module, size_t i)
{
	char name[64];
	PyObject *bases = PyTuple_Pack(2, base_error, *kinds[i].also);
	if (!bases)
		return -1;
	PyOS_snprintf(name, sizeof(name), "fairlead.%s", kinds[i].name);
	kinds[i].type = PyErr_NewExceptionWithDoc(name, kinds[i].doc, bases, NULL);
	Py_DECREF(bases);
	return kinds[i].type ? PyModule_AddObjectRef(module, kinds[i].name, kinds[i].type) : -1;
}

int errors_add(PyObject *module)
{
	base_error = PyErr_NewExceptionWithDoc(
		"fairlead.FairleadError", "What libfairlead refuses.", NULL, NULL);
	if (!base_error || PyModule_AddObjectRef(module, "FairleadError", base_error) < 0)
		return -1;
	for (size_t i = 0; i < KINDS; i++) {
		if (add_kind(module, i) < 0)
			return -1;
	}
	return 0;
}

PyObject *errors_raise(int code, const struct fl_error *err)
{
	PyObject *type = base_error;
	if (code == FL_ENOMEM)
		return PyErr_NoMemory();
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].code == code)
			type = kinds[i].type;
	}
	PyErr_SetString(type, err && err->text[0] ? err->text : fl_strerror(code));
	return NULL;
}

/* ---- keys ---- */

int key_borrow(PyObject *object, struct fl_key *out)
{
	const char *bytes;
	Py_ssize_t len;
	if (PyUnicode_Check(object)) {
		bytes = PyUnicode_AsUTF8AndSize(object, &len);
		if (!bytes)
			return -1;
	} else if (PyBytes_Check(object)) {
		char *mine;
		if (PyBytes_AsStringAndSize(object, &mine, &len) < 0)
			return -1;
		bytes = mine;
	} else {
		PyErr_SetString(PyExc_TypeError, "a key is str or bytes");
		return -1;
	}
	*out = fl_key_bytes(bytes, (size_t)len);
	return 0;
}

int key_get(PyObject *object, struct held_key *out)
{
	out->buffer.obj = NULL;
	if (PyUnicode_Check(object) || PyBytes_Check(object) || !PyObject_CheckBuffer(object))
		return key_borrow(object, &out->key);
	if (PyObject_GetBuffer(object, &out->buffer, PyBUF_SIMPLE) < 0)
		return -1;
	/* An empty buffer may have no address, and a key needs one. */
	out->key =
		fl_key_bytes(out->buffer.buf ? out->buffer.buf : "", (size_t)out->buffer.len);
	return 0;
}

void key_release(struct held_key *k)
{
	if (k->buffer.obj)
		PyBuffer_Release(&k->buffer);
}

/* ---- masks ---- */

int slot_get(const fl_placement *p, PyObject *object, uint32_t *slot)
{
	struct fl_error err = {0};
	const char *name;
	Py_ssize_t len;
	if (!PyUnicode_Check(object)) {
		PyErr_SetString(PyExc_TypeError, "nodes are given by name");
		return -1;
	}
	name = PyUnicode_AsUTF8AndSize(object, &len);
	if (!name)
		return -1;
	*slot = strlen(name) == (size_t)len ? fl_placement_find(p, name) : FL_NONE;
	if (*slot == FL_NONE) {
		PyOS_snprintf(err.text, sizeof(err.text), "no node is called \"%.200s\"", name);
		errors_raise(FL_ENOENT, &err);
		return -1;
	}
	return 0;
}

static int mask_name(const fl_placement *p, PyObject *item, struct held_mask *out)
{
	uint32_t slot;
	if (slot_get(p, item, &slot) < 0)
		return -1;
	out->words[slot / 64] |= (uint64_t)1 << (slot % 64);
	return 0;
}

int mask_get(const fl_placement *p, PyObject *down, struct held_mask *out)
{
	PyObject *items, *item;
	int rc = 0;
	*out = (struct held_mask){{NULL, 0}, NULL};
	if (!down || down == Py_None)
		return 0;
	if (PyUnicode_Check(down)) {
		PyErr_SetString(PyExc_TypeError, "down is a list of names, not one name");
		return -1;
	}
	if (!(items = PyObject_GetIter(down)))
		return -1;
	size_t count = (fl_placement_slots(p) + 63) / 64;
	out->words = PyMem_Calloc(count + 1, sizeof(*out->words));
	if (!out->words) {
		Py_DECREF(items);
		PyErr_NoMemory();
		return -1;
	}
	out->mask = (struct fl_mask){out->words, count};
	while (rc == 0 && (item = PyIter_Next(items))) {
		rc = mask_name(p, item, out);
		Py_DECREF(item);
	}
	Py_DECREF(items);
	if (rc == 0 && !PyErr_Occurred())
		return 0;
	mask_release(out);
	return -1;
}

void mask_release(struct held_mask *m)
{
	PyMem_Free(m->words);
	*m = (struct held_mask){{NULL, 0}, NULL};
}

/* ---- nodes ---- */

/* NULL with an exception, also for text with a NUL in it. */
static const char *text_get(PyObject *object, const char *what)
{
	const char *text;
	Py_ssize_t len;
	if (!PyUnicode_Check(object)) {
		PyErr_Format(PyExc_TypeError, "a node's %s is a str", what);
		return NULL;
	}
	text = PyUnicode_AsUTF8AndSize(object, &len);
	if (text && strlen(text) != (size_t)len) {
		PyErr_Format(PyExc_ValueError, "a node's %s has a NUL in it", what);
		return NULL;
	}
	return text;
}

int node_get(PyObject *tuple, struct fl_node *out)
{
	PyObject *name, *slot, *zone;
	long weight;
	if (!PyArg_ParseTuple(tuple, "OlOO:node", &name, &weight, &slot, &zone))
		return -1;
	*out = (struct fl_node){text_get(name, "name"), 0, FL_NONE, NULL};
	if (!out->name)
		return -1;
	/* What does not fit is out of range as well, and the library says so. */
	out->weight = weight < INT32_MIN || weight > INT32_MAX ? INT32_MAX : (int32_t)weight;
	if (zone != Py_None && !(out->zone = text_get(zone, "zone")))
		return -1;
	if (slot == Py_None)
		return 0;
	unsigned long value = PyLong_AsUnsignedLong(slot);
	if (PyErr_Occurred())
		return -1;
	out->slot = value < FL_NONE ? (uint32_t)value : FL_NONE - 1;
	return 0;
}

PyObject *node_new(const struct fl_node *node)
{
	return Py_BuildValue(
		"(siIz)", node->name, (int)node->weight, (unsigned)node->slot, node->zone);
}
