// litespark-inference has two runtimes. That of its command line packs four weights into a byte (avx512, avx2). That of
// load_model(), over PyTorch, keeps a byte a weight (avx512 int8): here its kernel for five tokens and more does all
// products. The one that it takes for fewer on several threads, matmul_free_vnni_v4_fused_wp, clips the positive
// activations, and its result is off by 70 %.
#include <omp.h>

#include <torch/extension.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "peer.hpp"

using Quantize = void(const float* x, std::int8_t* codes, float* scales, int tokens, int columns);
using Product = void(const std::int8_t* x, const std::uint8_t* w, float w_scale, float x_scale, float* y, int rows,
                     int columns);
using Batch = void(const std::int8_t* x, const float* x_scales, const std::uint8_t* w, float w_scale, float* y,
                   int tokens, int rows, int columns);
extern "C" {
Quantize quantize_activation_batched_avx512, quantize_activation_batched_avx2;
Product matmul_lut_avx512_m1, matmul_lut_avx2_m1;
Batch matmul_lut_avx512_mT, matmul_lut_avx2_mT;
}
void matmul_free_vnni_v4_large_n(torch::Tensor x, torch::Tensor x_scales, torch::Tensor w, torch::Tensor w_sums,
                                 torch::Tensor y, int tokens, int rows, int columns, int threads);

namespace {

using namespace tern::peers;

struct Kernels {
  Quantize* quantize;
  Product* product;
  Batch* batch;
};
constexpr Kernels avx512{quantize_activation_batched_avx512, matmul_lut_avx512_m1, matmul_lut_avx512_mT};
constexpr Kernels avx2{quantize_activation_batched_avx2, matmul_lut_avx2_m1, matmul_lut_avx2_mT};

constexpr std::ptrdiff_t most_tokens = 64;  // in a call: asked for more, they return without a result

int sign(float w) { return (w > 0) - (w < 0); }

/// One scale for all weights, -c, 0 or c; activations in int8 with a scale a token.
class Quantised : public Weights {
 protected:
  Quantised(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : rows_(static_cast<int>(rows)), columns_(static_cast<int>(columns)) {
    for (std::ptrdiff_t i = 0; i < rows * columns; ++i) scale_ = std::max(scale_, std::abs(weights[i]));
  }
  void prepare_activations(Quantize* quantize, std::ptrdiff_t tokens, const float* x, int threads) {
    omp_set_num_threads(threads);
    codes_.resize(static_cast<std::size_t>(tokens * columns_));
    x_scales_.resize(static_cast<std::size_t>(tokens));
    quantize(x, codes_.data(), x_scales_.data(), static_cast<int>(tokens), columns_);
  }

  int rows_, columns_;
  float scale_ = 0;
  std::vector<std::int8_t> codes_;
  std::vector<float> x_scales_;
};

/// Four weights a byte, each plus one, the first in the lowest bits.
template <const Kernels& kernels>
class Packed final : public Quantised {
 public:
  Packed(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : Quantised(rows, columns, weights), w_(static_cast<std::size_t>(rows * columns / 4)) {
    for (std::ptrdiff_t i = 0; i < rows * columns; ++i)
      w_[static_cast<std::size_t>(i / 4)] |= static_cast<std::uint8_t>((sign(weights[i]) + 1) << 2 * (i % 4));
  }
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    prepare_activations(kernels.quantize, tokens, x, threads);
    if (tokens == 1) return kernels.product(codes_.data(), w_.data(), scale_, x_scales_[0], y, rows_, columns_);
    for (std::ptrdiff_t t = 0; t < tokens; t += most_tokens)
      kernels.batch(codes_.data() + t * columns_, x_scales_.data() + t, w_.data(), scale_, y + t * rows_,
                    static_cast<int>(std::min(tokens - t, most_tokens)), rows_, columns_);
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Packed>(*this); }
  std::size_t bytes() const override { return w_.size(); }

 private:
  std::vector<std::uint8_t> w_;
};

class Int8 final : public Quantised {
 public:
  Int8(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : Quantised(rows, columns, weights),
        w_(static_cast<std::size_t>(rows * columns)),
        sums_(static_cast<std::size_t>(rows)) {
    for (std::ptrdiff_t i = 0; i < rows * columns; ++i)
      sums_[static_cast<std::size_t>(i / columns)] += w_[static_cast<std::size_t>(i)] =
          static_cast<std::int8_t>(sign(weights[i]));
  }
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    prepare_activations(avx512.quantize, tokens, x, threads);
    out_.resize(static_cast<std::size_t>(tokens * rows_));
    const auto tensor = [](const auto& numbers) { return torch::Tensor(numbers.data(), numbers.size()); };
    matmul_free_vnni_v4_large_n(tensor(codes_), tensor(x_scales_), tensor(w_), tensor(sums_), tensor(out_),
                                static_cast<int>(tokens), rows_, columns_, threads);
#pragma omp parallel for num_threads(threads)
    for (std::ptrdiff_t t = 0; t < tokens; ++t)
      for (std::ptrdiff_t r = 0; r < rows_; ++r)
        y[t * rows_ + r] = static_cast<float>(out_[static_cast<std::size_t>(t * rows_ + r)]) *
                           x_scales_[static_cast<std::size_t>(t)] * scale_;
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Int8>(*this); }
  std::size_t bytes() const override { return w_.size(); }

 private:
  std::vector<std::int8_t> w_;
  std::vector<std::int32_t> sums_, out_;
};

void require(bool supported, const char* what) {
  if (!supported) throw std::runtime_error(std::string("this processor lacks ") + what);
}
void require(const Kernels& kernels) {
  if (&kernels == &avx512)
    require(__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi"), "AVX-512 with VNNI and VBMI");
  else
    require(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), "AVX2 with FMA");
}

template <class W, const Kernels& kernels, std::ptrdiff_t multiple>
std::unique_ptr<Weights> prepare(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
  require(kernels);
  return columns % multiple != 0 ? nullptr : std::make_unique<W>(rows, columns, weights);
}

}  // namespace

TERN_PEER {
  static const Peer peer{"litespark",
                         PEER_VERSION,
                         {{"avx512", Kind::ternary, false, prepare<Packed<avx512>, avx512, 4>},
                          {"avx512 int8", Kind::ternary, false, prepare<Int8, avx512, 64>},
                          {"avx2", Kind::ternary, false, prepare<Packed<avx2>, avx2, 4>}}};
  return &peer;
}
