// tern's side: a format is a row of the table at the end.
#include "tern/core/parallel.hpp"
#include "tern/kernels/kernels.hpp"
#include "tern/kernels/quantize/grouped.hpp"

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

template <TernaryFormat format>
class Ternary final : public Weights {
 public:
  Ternary(Index rows, Index columns, const float* weights)
      : rows_(rows), columns_(columns), codes_(static_cast<std::size_t>(ternary_packed_bytes(rows, columns, format))) {
    std::vector<std::int8_t> signs(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < signs.size(); ++i) {
      signs[i] = static_cast<std::int8_t>((weights[i] > 0) - (weights[i] < 0));
      if (weights[i] > 0) scale_ = weights[i];
    }
    pack_ternary(rows, columns, signs.data(), codes_.data(), format);
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
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Ternary>(*this); }
  std::size_t bytes() const override { return codes_.size(); }

 private:
  TernaryView view() const { return {codes_.data(), &scale_, rows_, columns_, TernaryScale::tensor, format}; }

  Index rows_, columns_;
  float scale_ = 0;
  std::vector<std::uint8_t> codes_;
  std::vector<std::int8_t> q_;
  std::vector<float> scales_;
};

/// Weights in groups of 32 columns, F Q8 or Q4.
template <class F>
class Grouped final : public Weights {
 public:
  Grouped(Index rows, Index columns, const float* weights)
      : rows_(rows), columns_(columns), blocks_(static_cast<std::size_t>(grouped_bytes<F>(rows, columns))) {
    const auto size = static_cast<std::size_t>(rows * columns);
    const auto groups = static_cast<std::size_t>(rows * groups_of(columns));
    std::vector<Half> scales(groups), minimums(groups);
    if constexpr (F::has_minimum) {
      std::vector<std::uint8_t> codes(size);
      quantize_q4(rows, columns, weights, columns, codes.data(), scales.data(), minimums.data());
      pack_q4(rows, columns, codes.data(), scales.data(), minimums.data(), blocks_.data());
    } else {
      std::vector<std::int8_t> codes(size);
      quantize_q8(rows, columns, weights, columns, codes.data(), scales.data());
      pack_q8(rows, columns, codes.data(), scales.data(), blocks_.data());
    }
  }
  void forward(Index tokens, const float* x, float* y, int threads) override {
    const Index groups = activation_groups(columns_);
    q_.resize(static_cast<std::size_t>(tokens * columns_));
    scales_.resize(static_cast<std::size_t>(tokens * groups));
    const Parallel parallel = workers(threads);
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      quantize_activations(operations(), end - begin, columns_, x + begin * columns_, columns_,
                           q_.data() + begin * columns_, columns_, scales_.data() + begin * groups, groups);
    });
    parallel.ranges(rows_, group_rows, [&](Index begin, Index end) {
      operations().grouped<F>().matmul(view(), begin, end, tokens, q_.data(), columns_, scales_.data(), groups, y,
                                       rows_);
    });
  }
  void backward(Index tokens, const float* dy, float* dx, int threads) override {
    workers(threads).ranges(columns_, group_columns, [&](Index begin, Index end) {
      operations().grouped<F>().matmul_transposed(view(), begin, end, tokens, dy, rows_, dx, columns_);
    });
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Grouped>(*this); }
  std::size_t bytes() const override { return blocks_.size(); }

 private:
  GroupedView<F> view() const { return {blocks_.data(), rows_, columns_}; }

  Index rows_, columns_;
  std::vector<std::uint8_t> blocks_;
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
                         {{"ternary2", Kind::ternary, true, prepare<Ternary<TernaryFormat::two_bits>>},
                          {"ternary1_6", Kind::ternary, true, prepare<Ternary<TernaryFormat::five_a_byte>>},
                          {"q4", Kind::q4, true, prepare<Grouped<Q4>>},
                          {"q8", Kind::q8, true, prepare<Grouped<Q8>>},
                          {"bf16", Kind::bf16, true, prepare<Dense<Bf16>>},
                          {"mixed", Kind::bf16, true, prepare<Dense<float, true>>},
                          {"f32", Kind::f32, true, prepare<Dense<float>>}}};
  return &peer;
}
