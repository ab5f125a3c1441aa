#ifndef FL_PYTHON_LOAD_H
#define FL_PYTHON_LOAD_H

#include "convert.h"

/* The type Load: a new reference, or NULL with an exception set. */
PyObject *load_type_new(void);

#endif
