#ifndef FL_PYTHON_PLACEMENT_H
#define FL_PYTHON_PLACEMENT_H

#include "convert.h"

/* The type Placement: a new reference, or NULL with an exception set. */
PyObject *placement_type_new(void);

#endif
