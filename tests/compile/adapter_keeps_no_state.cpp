/// An adapter that hides its state instead of leaving it to the caller is no Adapter.
#include "tern/core/concepts.hpp"

namespace {

struct Doubling {
  using Scalar = float;
#ifndef TERN_BAD
  struct Cache {};
#else
 private:
  struct Cache {};

 public:
#endif
  void forward(const tern::Pass&, tern::In<float>, Cache&, tern::Out<float> y) const { y *= 2; }
  void backward(const tern::Pass&, tern::In<float>, const Cache&, tern::Out<float> dy, tern::Out<float>,
                tern::Gradients<float>&) const {
    dy *= 2;
  }
  template <class Self, class F>
  static void fields(Self&, F&&) {}
};
static_assert(tern::Adapter<Doubling>);

}  // namespace
