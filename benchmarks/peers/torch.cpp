#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/headeronly/version.h>

#include "peer.hpp"

namespace {

using namespace tern::peers;

at::Tensor view(const float* data, std::ptrdiff_t rows, std::ptrdiff_t columns) {
  return at::from_blob(const_cast<float*>(data), {rows, columns});
}

/// Calls an operator that has no C++ function, and returns its one result.
c10::IValue call(const char* name, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(&arguments);
  return arguments[0];
}

template <at::ScalarType type>
class Dense final : public Weights {
 public:
  explicit Dense(at::Tensor w) : w_(std::move(w)) {}
  Dense(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : w_(view(weights, rows, columns).to(type, false, true)) {}
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    at::set_num_threads(threads);
    const at::NoGradGuard no_gradients;
    view(y, tokens, w_.size(0)).copy_(at::linear(view(x, tokens, w_.size(1)).to(type), w_));
  }
  void backward(std::ptrdiff_t tokens, const float* dy, float* dx, int threads) override {
    at::set_num_threads(threads);
    const at::NoGradGuard no_gradients;
    view(dx, tokens, w_.size(1)).copy_(at::matmul(view(dy, tokens, w_.size(0)).to(type), w_));
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Dense>(w_.clone()); }
  std::size_t bytes() const override { return w_.nbytes(); }

 private:
  at::Tensor w_;
};

/// What torch.ao.quantization makes of a linear layer: int8 weights, activations quantised as they come.
class Dynamic final : public Weights {
 public:
  explicit Dynamic(at::Tensor w) : w_(std::move(w)), packed_(call("quantized::linear_prepack", {w_, c10::IValue()})) {}
  Dynamic(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : Dynamic(quantize(view(weights, rows, columns))) {}
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    at::set_num_threads(threads);
    const at::NoGradGuard no_gradients;
    view(y, tokens, w_.size(0))
        .copy_(call("quantized::linear_dynamic", {view(x, tokens, w_.size(1)), packed_, false}).toTensor());
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Dynamic>(w_); }
  std::size_t bytes() const override { return w_.nbytes(); }

 private:
  static at::Tensor quantize(const at::Tensor& w) {
    const at::Tensor scales = w.abs().amax(1).to(at::kDouble) / 127;
    return at::quantize_per_channel(w, scales, at::zeros_like(scales, at::kLong), 0, at::kQInt8);
  }

  at::Tensor w_;
  c10::IValue packed_;
};

template <class W>
std::unique_ptr<Weights> prepare(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
  return std::make_unique<W>(rows, columns, weights);
}

}  // namespace

TERN_PEER {
  static const Peer peer{"PyTorch",
                         TORCH_VERSION,
                         {{"int8 dynamic", Kind::q8, false, prepare<Dynamic>},
                          {"bf16", Kind::bf16, true, prepare<Dense<at::kBFloat16>>},
                          {"f32", Kind::f32, true, prepare<Dense<at::kFloat>>}}};
  return &peer;
}
