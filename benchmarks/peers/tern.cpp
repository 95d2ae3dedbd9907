// tern's side: a format is a row of the table at the end, and multiplies as a layer would, through its storage.
// The environment's TERN_ISA chooses the kernels.
#include "tern/core/parallel.hpp"
#include "tern/weights/bf16.hpp"
#include "tern/weights/dense.hpp"
#include "tern/weights/grouped.hpp"
#include "tern/weights/ternary.hpp"
#include "tern/weights/tiled.hpp"

#include "chosen_kernels.hpp"
#include "peer.hpp"

namespace {

using namespace tern::peers;
using tern::Bf16, tern::Dense, tern::Index, tern::Matrix, tern::Precision, tern::Grouped, tern::Ternary, tern::Tiled;
using tern::kernels::TernaryFormat, tern::kernels::TernaryScale;

tern::Parallel workers(int threads) {
  static tern::ThreadPool pool(2);
  return threads > 1 ? pool.parallel() : tern::Parallel{};
}

/// Weights in storage W.
template <class W, Precision precision>
class Stored final : public Weights {
 public:
  explicit Stored(W w) : w_(std::move(w)) {}

  void forward(Index tokens, const float* x, float* y, int threads) override {
    w_.multiply(pass(threads), In(x, tokens, w_.columns()), cache_, Out(y, tokens, w_.rows()));
  }
  void backward(Index tokens, const float* dy, float* dx, int threads) override {
    w_.multiply_transposed(pass(threads), In(dy, tokens, w_.rows()), cache_, Out(dx, tokens, w_.columns()));
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Stored>(*this); }
  std::size_t bytes() const override { return w_.bytes(); }

 private:
  using In = Eigen::Map<const Matrix<float>>;
  using Out = Eigen::Map<Matrix<float>>;

  static tern::Pass pass(int threads) {
    static const tern::kernels::Table& kernels = chosen_kernels();
    return {.kernels = &kernels, .parallel = workers(threads), .precision = precision};
  }

  W w_;
  typename W::Cache cache_;
};

/// make(weights) gives the storage.
template <auto make, Precision precision = Precision::full>
std::unique_ptr<Weights> prepare(Index rows, Index columns, const float* weights) {
  auto stored = make(Eigen::Map<const Matrix<float>>(weights, rows, columns));
  return std::make_unique<Stored<decltype(stored), precision>>(std::move(stored));
}

/// Weights {-c, 0, c} as they are.
template <TernaryFormat format>
Ternary<float> exactly(const Matrix<float>& weights) {
  std::vector<std::int8_t> signs;
  for (const float w : weights.reshaped<Eigen::RowMajor>())
    signs.push_back(static_cast<std::int8_t>((w > 0) - (w < 0)));
  return Ternary<float>::from_codes(weights.rows(), weights.cols(), signs, {weights.cwiseAbs().maxCoeff()},
                                    TernaryScale::tensor, format);
}
template <class W>
W rounded(const Matrix<float>& weights) {
  return W::quantize(weights);
}
Dense<float> dense(const Matrix<float>& weights) { return Dense<float>(weights); }

}  // namespace

TERN_PEER {
  static const Peer peer = [] {
    Peer p{"tern",
           std::string(tern::kernels::name(chosen_kernels().isa)),
           {{"ternary2", Kind::ternary, true, prepare<exactly<TernaryFormat::two_bits>>},
            {"ternary1_6", Kind::ternary, true, prepare<exactly<TernaryFormat::five_a_byte>>},
            {"bf16", Kind::bf16, true, prepare<rounded<Bf16<float>>>},
            {"mixed", Kind::bf16, true, prepare<dense, Precision::mixed>},
            {"f32", Kind::f32, true, prepare<dense>},
            {"f32_tiled", Kind::f32, true, prepare<rounded<Tiled<float>>>}}};
    tern::kernels::GroupedFormats::each([&]<class F>() {
      p.formats.push_back({std::string(F::name), F::bits > 4 ? Kind::q8 : Kind::q4, true,
                           prepare<rounded<Grouped<float, F>>, Precision::mixed>});
    });
    return p;
  }();
  return &peer;
}
