// tern's side: a format is a row of the table at the end.
#include "tern/core/parallel.hpp"
#include "tern/kernels/kernels.hpp"

#include "peer.hpp"

namespace {

using namespace tern::kernels;
using namespace tern::peers;
using tern::Parallel, tern::ThreadPool;

Parallel workers(int threads) {
  static ThreadPool pool(2);
  return threads > 1 ? pool.parallel() : Parallel{};
}

const Operations<float>& operations() { return best_table().f32; }

class Ternary2 final : public Weights {
 public:
  Ternary2(Index rows, Index columns, const float* weights)
      : rows_(rows), columns_(columns), codes_(static_cast<std::size_t>(ternary_packed_bytes(rows, columns))) {
    std::vector<std::int8_t> signs(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < signs.size(); ++i) {
      signs[i] = static_cast<std::int8_t>((weights[i] > 0) - (weights[i] < 0));
      if (weights[i] > 0) scale_ = weights[i];
    }
    pack_ternary(rows, columns, signs.data(), codes_.data());
  }
  void forward(Index tokens, const float* x, float* y, int threads) override {
    q_.resize(static_cast<std::size_t>(tokens * columns_));
    scales_.resize(static_cast<std::size_t>(tokens));
    const Parallel parallel = workers(threads);
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      operations().quantize_int8(end - begin, columns_, x + begin * columns_, columns_, q_.data() + begin * columns_,
                                 columns_, scales_.data() + begin);
    });
    parallel.ranges(rows_, 16, [&](Index begin, Index end) {
      operations().ternary_matmul(view(), begin, end, tokens, q_.data(), columns_, scales_.data(), y, rows_);
    });
  }
  void backward(Index tokens, const float* dy, float* dx, int threads) override {
    workers(threads).ranges(columns_, 16, [&](Index begin, Index end) {
      operations().ternary_matmul_transposed(view(), begin, end, tokens, dy, rows_, dx, columns_);
    });
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Ternary2>(*this); }
  std::size_t bytes() const override { return codes_.size(); }

 private:
  TernaryView view() const { return {codes_.data(), &scale_, rows_, columns_, TernaryScale::tensor}; }

  Index rows_, columns_;
  float scale_ = 0;
  std::vector<std::uint8_t> codes_;
  std::vector<std::int8_t> q_;
  std::vector<float> scales_;
};

/// Dense weights, T float or Bf16; float also in mixed precision.
template <class T, bool mixed = false>
class Dense final : public Weights {
 public:
  Dense(Index rows, Index columns, const float* weights) : rows_(rows), columns_(columns) {
    weights_.reserve(static_cast<std::size_t>(rows * columns));
    for (Index i = 0; i < rows * columns; ++i)
      if constexpr (sizeof(T) == 2)
        weights_.push_back(to_bf16(weights[i]));
      else
        weights_.push_back(weights[i]);
  }
  void forward(Index tokens, const float* x, float* y, int threads) override {
    workers(threads).ranges(rows_, 32, [&](Index begin, Index end) {
      multiply(tokens, end - begin, columns_, {x, columns_, 1}, {weights_.data() + begin * columns_, 1, columns_},
               y + begin, rows_, false);
    });
  }
  void backward(Index tokens, const float* dy, float* dx, int threads) override {
    workers(threads).ranges(columns_, 32, [&](Index begin, Index end) {
      multiply(tokens, end - begin, rows_, {dy, rows_, 1}, {weights_.data() + begin, columns_, 1}, dx + begin, columns_,
               true);
    });
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Dense>(*this); }
  std::size_t bytes() const override { return weights_.size() * sizeof(T); }

 private:
  static void multiply(Index m, Index n, Index k, Strided<const float> a, Strided<const T> b, float* c, Index c_row,
                       bool accumulate) {
    if constexpr (sizeof(T) == 2)
      operations().matmul_bf16(m, n, k, a, b, c, c_row, accumulate);
    else
      (mixed ? operations().matmul_mixed : operations().matmul)(m, n, k, a, b, c, c_row, accumulate);
  }

  Index rows_, columns_;
  std::vector<T> weights_;
};

template <class W>
std::unique_ptr<Weights> prepare(Index rows, Index columns, const float* weights) {
  return std::make_unique<W>(rows, columns, weights);
}

}  // namespace

TERN_PEER {
  static const Peer peer{"tern",
                         std::string(name(best_isa())),
                         {{"ternary2", Kind::ternary, true, prepare<Ternary2>},
                          {"bf16", Kind::bf16, true, prepare<Dense<Bf16>>},
                          {"mixed", Kind::bf16, true, prepare<Dense<float, true>>},
                          {"f32", Kind::f32, true, prepare<Dense<float>>}}};
  return &peer;
}
