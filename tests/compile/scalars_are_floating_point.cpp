/// Matrices hold floating-point scalars and nothing else.
#include "tern/core/parameter.hpp"

#ifdef TERN_BAD
using Scalar = int;
#else
using Scalar = double;
#endif
template struct tern::Parameter<Scalar>;
