/// A type without backward is no Layer.
#include "tern/core/concepts.hpp"

namespace {

struct Doubling {
  using Scalar = float;
  struct Cache {};

  void forward(const tern::Pass&, tern::In<float> x, Cache&, tern::Out<float> y) const { y = 2 * x; }
#ifndef TERN_BAD
  void backward(const tern::Pass&, tern::In<float>, const Cache&, tern::In<float> dy, tern::Out<float> dx,
                tern::Gradients<float>&) const {
    dx += 2 * dy;
  }
#endif
  template <class Self, class F>
  static void fields(Self&, F&&) {}
};
static_assert(tern::Layer<Doubling>);

}  // namespace
