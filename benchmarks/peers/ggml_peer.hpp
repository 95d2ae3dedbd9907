#pragma once
/// What ggml and ik_llama.cpp share: a graph of one product on the CPU backend, as their own programs compute it.
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include "peer.hpp"

namespace tern::peers {

struct FreeContext {
  void operator()(ggml_context* p) const { ggml_free(p); }
};
/// For a few tensors, whose numbers lie elsewhere, and the graph of one product. Short-lived: ik_llama.cpp has 64 at
/// most.
inline auto context() {
  static std::vector<char> memory(8 * ggml_tensor_overhead() + ggml_graph_overhead_custom(8, false));
  return std::unique_ptr<ggml_context, FreeContext>(ggml_init({memory.size(), memory.data(), true}));
}

struct FreeBuffer {
  void operator()(ggml_backend_buffer_t p) const { ggml_backend_buffer_free(p); }
};
using Buffer = std::unique_ptr<std::remove_pointer_t<ggml_backend_buffer_t>, FreeBuffer>;

/// The backend with its threads. Without OpenMP's pool it would start them for every graph.
inline ggml_backend_t backend(int threads) {
  static const ggml_backend_t cpu = ggml_backend_cpu_init();
  ggml_backend_cpu_set_n_threads(cpu, threads);
  return cpu;
}

class GgmlWeights final : public Weights {
 public:
  /// numbers: as ggml stores the type in files; a buffer type may lay them out anew.
  GgmlWeights(ggml_type type, ggml_backend_buffer_type_t place, std::ptrdiff_t rows, std::ptrdiff_t columns,
              std::shared_ptr<const std::vector<char>> numbers)
      : place_(place), numbers_(std::move(numbers)), w_(*ggml_new_tensor_2d(context().get(), type, columns, rows)) {
    buffer_.reset(ggml_backend_buft_alloc_buffer(place, ggml_backend_buft_get_alloc_size(place, &w_)));
    ggml_backend_tensor_alloc(buffer_.get(), &w_, ggml_backend_buffer_get_base(buffer_.get()));
    ggml_backend_tensor_set(&w_, numbers_->data(), 0, numbers_->size());
  }
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    const auto own = context();
    ggml_tensor* const in = matrix(own.get(), w_.ne[0], tokens, x);
    compute(own.get(), ggml_mul_mat(own.get(), &w_, in), y, threads);
  }
  /// The product by which ggml computes the gradient of a product.
  void backward(std::ptrdiff_t tokens, const float* dy, float* dx, int threads) override {
    const auto own = context();
    ggml_tensor* const in = matrix(own.get(), w_.ne[1], tokens, dy);
    compute(own.get(), ggml_out_prod(own.get(), &w_, ggml_transpose(own.get(), in)), dx, threads);
  }
  std::unique_ptr<Weights> copy() const override {
    return std::make_unique<GgmlWeights>(w_.type, place_, w_.ne[1], w_.ne[0], numbers_);
  }
  std::size_t bytes() const override { return ggml_nbytes(&w_); }

 private:
  static ggml_tensor* matrix(ggml_context* own, std::ptrdiff_t columns, std::ptrdiff_t rows, const float* numbers) {
    ggml_tensor* const t = ggml_new_tensor_2d(own, GGML_TYPE_F32, columns, rows);
    t->data = const_cast<float*>(numbers);
    return t;
  }
  static void compute(ggml_context* own, ggml_tensor* product, float* to, int threads) {
    product->data = to;
    ggml_cgraph* const graph = ggml_new_graph_custom(own, 8, false);
    ggml_build_forward_expand(graph, product);
    ggml_backend_graph_compute(backend(threads), graph);
  }

  ggml_backend_buffer_type_t place_;
  std::shared_ptr<const std::vector<char>> numbers_;
  ggml_tensor w_;
  Buffer buffer_;
};

/// Null where rows of that length do not divide into the type's blocks.
inline std::unique_ptr<Weights> ggml_weights(ggml_type type, ggml_backend_buffer_type_t place, std::ptrdiff_t rows,
                                             std::ptrdiff_t columns, const float* weights) {
  if (columns % ggml_blck_size(type) != 0) return nullptr;
  auto numbers = std::make_shared<std::vector<char>>(static_cast<std::size_t>(rows) * ggml_row_size(type, columns));
  ggml_quantize_chunk(type, weights, numbers->data(), 0, rows, columns, nullptr);
  return std::make_unique<GgmlWeights>(type, place, rows, columns, std::move(numbers));
}

template <ggml_type type>
std::unique_ptr<Weights> plain(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
  return ggml_weights(type, ggml_backend_cpu_buffer_type(), rows, columns, weights);
}

}  // namespace tern::peers
