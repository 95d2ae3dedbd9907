#pragma once
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/core/random.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// The largest singular directions of weights W [out x in] = sum_i s[i] * u[i] * v[i]^T, the largest first.
template <std::floating_point S>
struct SingularDirections {
  Matrix<S> down;  ///< [rank x in], rows v[i]: the entry of largest size in each is positive
  Matrix<S> up;    ///< [out x rank], columns s[i] * u[i]

  Index rank() const { return down.rows(); }
  Index in() const { return down.cols(); }
  Index out() const { return up.rows(); }
};

namespace detail {

/// An orthonormal basis of what B [rows x n] has beside the orthonormal rows of Q [k x n], as `rows` rows. Twice, since
/// once leaves rounding.
template <std::floating_point S>
Matrix<S> orthonormal_beside(const Pass& pass, const Matrix<S>& q, Matrix<S> b) {
  const auto normalise = [&] {
    const Eigen::HouseholderQR<Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>> qr(b.transpose());
    Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic> basis(b.cols(), b.rows());
    basis.setIdentity();
    basis.applyOnTheLeft(qr.householderQ());
    b = basis.transpose();
  };
  const auto project = [&] {
    Matrix<S> along(b.rows(), q.rows());
    multiply<S>(pass, b, q, along);
    along = -along;
    add_multiply_transposed<S>(pass, along, q, b);
  };
  if (q.rows() > 0) project();
  normalise();
  if (q.rows() > 0) {
    project();
    normalise();
  }
  return b;
}

}  // namespace detail

/// The `rank` largest singular directions of weights in any format, by a randomised block Krylov method (Musco and
/// Musco, arXiv 1504.05477): blocks Q[0] random, Q[j+1] what W * W^T * Q[j] has beside all before; then the singular
/// directions of W within them. Blocks are added until each direction's residual |W*v - s*u| is below 128 epsilon of
/// the largest singular value, or they fill the space. Two directions whose singular values nearly agree may be turned
/// into each other by rounding: another instruction set's may differ there. One instruction set gives the same bits at
/// any number of threads. Decodes the weights to S for the while of the call. Throws ValueError unless rank is in [1,
/// min(in, out)] and the weights are finite.
template <std::floating_point S, TableStorage<S> W>
SingularDirections<S> singular_directions(const Pass& pass, const W& weights, Index rank, std::uint64_t seed = 0) {
  const Index out = weights.rows(), in = weights.columns(), least = std::min(out, in), most = std::max(out, in);
  if (rank < 1 || rank > least)
    throw ValueError("singular directions: expected a rank in [1, " + std::to_string(least) + "], got " +
                     std::to_string(rank));
  Pass products;
  products.kernels = pass.kernels;
  products.parallel = pass.parallel;
  Matrix<S> w(out, in);
  pass.parallel.ranges(out, 16, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) weights.row(r, w.row(r).data());
  });
  if (!w.allFinite()) throw ValueError("singular directions: expected finite weights, got others");

  // Q lies on W's shorter side: `there` is x * W or x * W^T, from the shorter side to the longer, `back` its transpose.
  const bool short_out = out <= in;
  const auto times = [&](const Matrix<S>& x, bool transposed) {
    Matrix<S> y = Matrix<S>::Zero(x.rows(), transposed ? out : in);
    transposed ? multiply<S>(products, x, w, y) : add_multiply_transposed<S>(products, x, w, y);
    return y;
  };
  const auto there = [&](const Matrix<S>& x) { return times(x, !short_out); };
  const auto back = [&](const Matrix<S>& x) { return times(x, short_out); };
  const auto append = [](Matrix<S>& m, const Matrix<S>& rows) {
    m.conservativeResize(m.rows() + rows.rows(), rows.cols());
    m.bottomRows(rows.rows()) = rows;
  };

  const Index block = std::min(least, rank + 8);
  Random random(seed);
  Matrix<S> next(block, least), q(0, least), p(0, most);
  fill_normal(next, random, 1);
  using Square = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
  Matrix<S> gram;          // p * p^T
  Matrix<S> u, v;          // directions on the shorter and the longer side: [rank x least], [rank x most]
  Column<S> sizes;         // their singular values
  Index look = 2 * block;  // at the directions, when there are as many rows
  for (;;) {
    next = detail::orthonormal_beside(products, q, std::move(next));
    append(q, next);
    const Matrix<S> image = there(next);
    append(p, image);
    const Index k = q.rows(), fresh = image.rows();
    Matrix<S> with_all(fresh, k);
    multiply<S>(products, image, p, with_all);
    gram.conservativeResize(k, k);
    gram.bottomRows(fresh) = with_all;
    gram.rightCols(fresh) = with_all.transpose();

    const bool full = k == least;
    if (!full) next = back(image).topRows(std::min(block, least - k));
    if (k < look && !full) continue;
    look = k + std::max(block, k / 4);
    // The largest directions of the Gram matrix, then the singular values of their images: the first alone would know
    // values only down to the root of epsilon.
    const Eigen::SelfAdjointEigenSolver<Matrix<double>> eigen(gram.template cast<double>());
    const Matrix<S> e = eigen.eigenvectors().rightCols(block).transpose().template cast<S>();
    Matrix<S> near_u = Matrix<S>::Zero(block, least), near_v = Matrix<S>::Zero(block, most);
    add_multiply_transposed<S>(products, e, q, near_u);
    add_multiply_transposed<S>(products, e, p, near_v);
    const Eigen::HouseholderQR<Square> qr(near_v.transpose());
    const Square r = qr.matrixQR().topRows(block).template triangularView<Eigen::Upper>();
    const Eigen::JacobiSVD<Square> svd(r, Eigen::ComputeFullU | Eigen::ComputeFullV);
    sizes = svd.singularValues().head(rank);
    Square right = Square::Zero(most, rank);
    right.topRows(block) = svd.matrixU().leftCols(rank);
    right.applyOnTheLeft(qr.householderQ());
    v = right.transpose();
    u = svd.matrixV().leftCols(rank).transpose() * near_u;
    if (full) break;
    const Matrix<S> image_of_v = back(v);
    S worst = 0;
    for (Index i = 0; i < rank; ++i) worst = std::max(worst, (image_of_v.row(i) - sizes(i) * u.row(i)).norm());
    if (worst <= 128 * std::numeric_limits<S>::epsilon() * sizes(0)) break;
  }

  SingularDirections<S> found{Matrix<S>(rank, in), Matrix<S>(out, rank)};
  for (Index i = 0; i < rank; ++i) {
    const auto& right = short_out ? v : u;
    const auto& left = short_out ? u : v;
    Index at = 0;
    right.row(i).cwiseAbs().maxCoeff(&at);
    const S sign = right(i, at) < 0 ? S(-1) : S(1);
    found.down.row(i) = sign * right.row(i);
    found.up.col(i) = sign * sizes(i) * left.row(i).transpose();
  }
  return found;
}

}  // namespace tern
