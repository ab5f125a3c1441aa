#ifndef FL_PYTHON_PLACEMENT_H
#define FL_PYTHON_PLACEMENT_H

#include "convert.h"

/* The type Placement: a new reference, or NULL with an exception set. */
PyObject *placement_type_new(void);

/* The placement in the object, borrowed, or NULL with a TypeError set. */
const fl_placement *placement_get(PyObject *object);

/* The name of the node in `slot` of the Placement `self`, or None for FL_NONE. New reference. */
PyObject *placement_name(PyObject *self, uint32_t slot);

/* The slot of the node called `name` in the object. 0 or -1 with an exception set. */
int placement_slot(PyObject *object, PyObject *name, uint32_t *slot);

#endif
