/* Python objects to what libfairlead takes, and its errors to exceptions. Everything here needs
 * the interpreter's lock. */
#ifndef FL_PYTHON_CONVERT_H
#define FL_PYTHON_CONVERT_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "fairlead/fairlead.h"

/* Adds the exceptions to the module. 0 or -1 with an exception set. */
int errors_add(PyObject *module);

/* Sets the exception for a code; `err` may be NULL. Gives NULL. */
PyObject *errors_raise(int code, const struct fl_error *err);

/* A key of str (as UTF-8), bytes or any buffer. key_release must follow, also when nothing is
 * held. 0 or -1 with an exception set, and then nothing is held. */
struct held_key {
	struct fl_key key;
	Py_buffer buffer; /* buffer.obj is NULL when there is none */
};
int key_get(PyObject *object, struct held_key *out);
void key_release(struct held_key *k);

/* A str or bytes, whose bytes live as long as the object. */
int key_borrow(PyObject *object, struct fl_key *out);

/* The slot of the node called `name`, a str. 0 or -1 with an exception set: NotFoundError. */
int slot_get(const fl_placement *p, PyObject *name, uint32_t *slot);

/* An iterable of names (or None) as a mask over p's slots. Unknown names are an error. mask_release
 * must follow, also for None. 0 or -1 with an exception set, and then nothing is held. */
struct held_mask {
	struct fl_mask mask;
	uint64_t *words;
};
int mask_get(const fl_placement *p, PyObject *down, struct held_mask *out);
void mask_release(struct held_mask *m);

/* A tuple (name, weight, slot or None, zone or None); the strings are borrowed from it. */
int node_get(PyObject *tuple, struct fl_node *out);

/* The other way. New reference. */
PyObject *node_new(const struct fl_node *node);

#endif
