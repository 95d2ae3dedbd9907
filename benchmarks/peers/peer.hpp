#pragma once
/// What the comparison asks of an engine: products with weights prepared once. Each peer is a shared object that
/// exports tern_peer() and nothing else, since two of them bring functions of the same names. tern is one of them.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tern::peers {

/// W [rows x columns] in a peer's own layout. Activations and results are float, row-major and contiguous: what a peer
/// must convert, it converts inside.
class Weights {
 public:
  virtual ~Weights() = default;
  /// y[t,r] = sum_k x[t,k] * W[r,k], on this many threads.
  virtual void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) = 0;
  /// dx[t,k] = sum_r dy[t,r] * W[r,k], or that added to dx. Called only if the format says that it is there.
  virtual void backward(std::ptrdiff_t tokens, const float* dy, float* dx, int threads);
  /// The same weights elsewhere in memory.
  virtual std::unique_ptr<Weights> copy() const = 0;
  /// What a product reads of them.
  virtual std::size_t bytes() const = 0;
};
inline void Weights::backward(std::ptrdiff_t, const float*, float*, int) {}

/// What a format can hold decides whom it is compared with, and how far its products may be off.
enum class Kind { ternary, q4, q8, bf16, f32 };

struct Format {
  std::string name;
  Kind kind;
  bool has_backward;
  /// Null where the format cannot have this shape. weights: row-major, {-c, 0, c} if the kind is ternary.
  std::unique_ptr<Weights> (*prepare)(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights);
};

struct Peer {
  std::string name, version;
  std::vector<Format> formats;
};

}  // namespace tern::peers

#define TERN_PEER extern "C" __attribute__((visibility("default"))) const tern::peers::Peer* tern_peer()
TERN_PEER;
