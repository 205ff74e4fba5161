// The one translation unit that compiles Boost.JSON's function bodies, as ours: of its many small functions
// the shared library calls each through a table.
#include <boost/json/src.hpp>
