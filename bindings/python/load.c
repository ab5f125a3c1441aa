/* The type Load: one fl_load. Its functions take no lock and are done at once, so the interpreter's
 * lock is kept. Slots go in and out; names and leases are made of them in Python. */
#include "load.h"

#include "placement.h"

struct load {
	PyObject_HEAD fl_load *l;
};

static fl_load *load_of(PyObject *self)
{
	return ((struct load *)self)->l;
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	Py_ssize_t slots;
	PyObject *self;
	(void)kwargs;
	if (!PyArg_ParseTuple(args, "n:Load", &slots))
		return NULL;
	if (slots < 1 || slots > FL_MAX_NODES)
		return PyErr_Format(PyExc_ValueError, "slots is %zd; expected 1 to %d", slots,
			(int)FL_MAX_NODES);
	if (!(self = alloc(type, 0)))
		return NULL;
	int rc = fl_load_new(&((struct load *)self)->l, (uint32_t)slots);
	if (rc == FL_OK)
		return self;
	Py_DECREF(self);
	return errors_raise(rc, NULL);
}

static void dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	fl_load_free(load_of(self));
	release(self);
	Py_DECREF(type);
}

static PyObject *acquire(PyObject *self, PyObject *args)
{
	PyObject *placed, *object, *down;
	unsigned int epsilon;
	struct held_mask mask;
	struct held_key key;
	uint32_t slot = FL_NONE;
	const fl_placement *p;
	if (!PyArg_ParseTuple(args, "OOIO:_acquire", &placed, &object, &epsilon, &down) ||
		!(p = placement_get(placed)) || mask_get(p, down, &mask) < 0)
		return NULL;
	if (key_get(object, &key) < 0) {
		mask_release(&mask);
		return NULL;
	}
	int rc = fl_load_acquire(load_of(self), p, &key.key, &mask.mask, epsilon, &slot);
	key_release(&key);
	mask_release(&mask);
	if (rc != FL_OK)
		return errors_raise(rc, NULL);
	if (slot == FL_NONE)
		Py_RETURN_NONE;
	return Py_BuildValue("(NI)", placement_name(placed, slot), (unsigned)slot);
}

static PyObject *release(PyObject *self, PyObject *args)
{
	unsigned int slot;
	if (!PyArg_ParseTuple(args, "I:_release", &slot))
		return NULL;
	int rc = fl_load_release(load_of(self), slot);
	if (rc != FL_OK)
		return errors_raise(rc, NULL);
	Py_RETURN_NONE;
}

static PyObject *count(PyObject *self, PyObject *args)
{
	PyObject *placed, *name;
	uint32_t slot;
	if (!PyArg_ParseTuple(args, "OO:count", &placed, &name) ||
		placement_slot(placed, name, &slot) < 0)
		return NULL;
	return PyLong_FromUnsignedLong(fl_load_count(load_of(self), slot));
}

static PyObject *cap(PyObject *self, PyObject *args)
{
	PyObject *placed, *name, *down;
	unsigned int epsilon;
	struct held_mask mask;
	uint32_t slot;
	if (!PyArg_ParseTuple(args, "OOIO:_cap", &placed, &name, &epsilon, &down) ||
		placement_slot(placed, name, &slot) < 0 ||
		mask_get(placement_get(placed), down, &mask) < 0)
		return NULL;
	uint32_t most =
		fl_load_cap(load_of(self), placement_get(placed), &mask.mask, epsilon, slot);
	mask_release(&mask);
	return PyLong_FromUnsignedLong(most);
}

static PyObject *get_total(PyObject *self, void *closure)
{
	(void)closure;
	return PyLong_FromUnsignedLong(fl_load_total(load_of(self)));
}

static PyMethodDef methods[] = {
	{"_acquire", acquire, METH_VARARGS, NULL},
	{"_release", release, METH_VARARGS, NULL},
	{"count", count, METH_VARARGS,
		"count(placement, name)\n--\n\nRequests in flight at the node."},
	{"_cap", cap, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
	{"total", get_total, NULL, "Requests in flight, at all nodes.", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_methods, methods},
	{Py_tp_getset, properties},
	{Py_tp_doc, (char *)"Requests in flight, by node."},
	{0, NULL},
};

static PyType_Spec spec = {"fairlead._core.Load", sizeof(struct load), 0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

PyObject *load_type_new(void)
{
	return PyType_FromSpec(&spec);
}
