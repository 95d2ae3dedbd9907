#include <cblas.h>

#include "peer.hpp"

namespace {

using namespace tern::peers;

class Dense final : public Weights {
 public:
  Dense(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : rows_(static_cast<blasint>(rows)),
        columns_(static_cast<blasint>(columns)),
        w_(weights, weights + rows * columns) {}
  /// A vector goes to gemv, as OpenBLAS's users are told to.
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    openblas_set_num_threads(threads);
    if (tokens == 1)
      cblas_sgemv(CblasRowMajor, CblasNoTrans, rows_, columns_, 1, w_.data(), columns_, x, 1, 0, y, 1);
    else
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(tokens), rows_, columns_, 1, x,
                  columns_, w_.data(), columns_, 0, y, rows_);
  }
  void backward(std::ptrdiff_t tokens, const float* dy, float* dx, int threads) override {
    openblas_set_num_threads(threads);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<blasint>(tokens), columns_, rows_, 1, dy, rows_,
                w_.data(), columns_, 0, dx, columns_);
  }
  std::unique_ptr<Weights> copy() const override { return std::make_unique<Dense>(*this); }
  std::size_t bytes() const override { return sizeof(float) * w_.size(); }

 private:
  blasint rows_, columns_;
  std::vector<float> w_;
};

}  // namespace

TERN_PEER {
  static const Peer peer{
      "OpenBLAS",
      openblas_get_config(),
      {{"f32", Kind::f32, true, [](std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
          return std::unique_ptr<Weights>(std::make_unique<Dense>(rows, columns, weights));
        }}}};
  return &peer;
}
