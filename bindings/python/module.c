/* fairlead._core: the C half of the Python package. The other half, in Python, gives its types
 * their convenient form. */
#include "load.h"
#include "placement.h"

static PyObject *algorithms(PyObject *self, PyObject *unused)
{
	const struct fl_algorithm_info *a = NULL;
	PyObject *list = PyList_New(0);
	(void)self;
	(void)unused;
	while (list && (a = fl_algorithm_next(a))) {
		PyObject *item = Py_BuildValue("(sssk)", a->name, a->summary, a->options,
			(unsigned long)a->capabilities);
		if (!item || PyList_Append(list, item) < 0)
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

static PyMethodDef functions[] = {
	{"algorithms", algorithms, METH_NOARGS,
		"(name, summary, options, capabilities) of each."},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "fairlead._core",
	.m_doc = "libfairlead for Python; see the package fairlead.",
	.m_size = -1,
	.m_methods = functions,
};

/* Takes over the reference to `type`. */
static int add_type(PyObject *module, const char *name, PyObject *type)
{
	int rc = type ? PyModule_AddObjectRef(module, name, type) : -1;
	Py_XDECREF(type);
	return rc;
}

static int fill(PyObject *module)
{
	if (errors_add(module) < 0 ||
		PyModule_AddStringConstant(module, "version", fl_version()) < 0 ||
		PyModule_AddIntConstant(module, "max_epsilon", FL_MAX_EPSILON) < 0)
		return -1;
	if (add_type(module, "Placement", placement_type_new()) < 0)
		return -1;
	return add_type(module, "Load", load_type_new());
}

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
	PyObject *module = PyModule_Create(&definition);
	if (module && fill(module) < 0)
		Py_CLEAR(module);
	return module;
}
