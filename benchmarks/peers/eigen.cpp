#include <Eigen/Core>

#include "peer.hpp"

namespace {

using namespace tern::peers;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using In = Eigen::Map<const Matrix>;
using Out = Eigen::Map<Matrix>;

class Dense final : public Weights {
 public:
  explicit Dense(Matrix w) : w_(std::move(w)) {}
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    Eigen::setNbThreads(threads);
    Out(y, tokens, w_.rows()).noalias() = In(x, tokens, w_.cols()) * w_.transpose();
  }
  void backward(std::ptrdiff_t tokens, const float* dy, float* dx, int threads) override {
    Eigen::setNbThreads(threads);
    Out(dx, tokens, w_.cols()).noalias() = In(dy, tokens, w_.rows()) * w_;
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Dense>(w_); }
  std::size_t bytes() const override { return sizeof(float) * static_cast<std::size_t>(w_.size()); }

 private:
  Matrix w_;
};

}  // namespace

TERN_PEER {
  static const Peer peer{
      "Eigen",
      std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
          std::to_string(EIGEN_MINOR_VERSION),
      {{"f32", Kind::f32, true, [](std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
          return std::unique_ptr<Weights>(std::make_unique<Dense>(In(weights, rows, columns)));
        }}}};
  return &peer;
}
