#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <list>

#include <oneapi/dnnl/dnnl.hpp>

#include "peer.hpp"

namespace {

using namespace tern::peers;
using dnnl::memory;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}
dnnl::stream& stream() {
  static dnnl::stream s(engine());
  return s;
}
memory::desc matrix(std::ptrdiff_t rows, std::ptrdiff_t columns, memory::data_type type, bool transposed = false) {
  return {{rows, columns}, type, transposed ? memory::dims{1, rows} : memory::dims{columns, 1}};
}

/// X [n x k] * W^T, W packed into the layout that oneDNN chooses for n and the number of threads.
struct Product {
  std::ptrdiff_t tokens;
  int threads;
  dnnl::matmul matmul;
  memory x, w, y;
};

class Prepacked : public Weights {
 public:
  Prepacked(std::ptrdiff_t rows, std::ptrdiff_t columns, memory::data_type type)
      : rows_(rows), columns_(columns), type_(type), source_(matrix(columns, rows, type, true), engine()) {}
  std::size_t bytes() const override { return source_.get_desc().get_size(); }

 protected:
  Product& product(std::ptrdiff_t tokens, int threads, memory::data_type x_type, const memory::desc& bias,
                   const dnnl::primitive_attr& attributes) {
    omp_set_num_threads(threads);
    for (Product& p : products_)
      if (p.tokens == tokens && p.threads == threads) return p;
    const memory::desc any({columns_, rows_}, type_, memory::format_tag::any);
    const memory::desc x = matrix(tokens, columns_, x_type), y = matrix(tokens, rows_, memory::data_type::f32);
    const dnnl::matmul::primitive_desc description(
        bias.is_zero() ? dnnl::matmul::desc(x, any, y) : dnnl::matmul::desc(x, any, bias, y), attributes, engine());
    memory packed(description.weights_desc(), engine());
    dnnl::reorder(source_, packed).execute(stream(), source_, packed);
    products_.push_back({tokens, threads, dnnl::matmul(description), memory(x, engine()), packed,
                         memory(y, engine(), DNNL_MEMORY_NONE)});
    return products_.back();
  }

  std::ptrdiff_t rows_, columns_;
  memory::data_type type_;
  memory source_;
  std::list<Product> products_;
};

template <memory::data_type type>
class Dense final : public Prepacked {
 public:
  Dense(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) : Prepacked(rows, columns, type) {
    memory plain(matrix(columns, rows, memory::data_type::f32, true), engine(), const_cast<float*>(weights));
    dnnl::reorder(plain, source_).execute(stream(), plain, source_);
  }
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    Product& p = product(tokens, threads, type, {}, {});
    memory from(matrix(tokens, columns_, memory::data_type::f32), engine(), const_cast<float*>(x));
    if constexpr (type == memory::data_type::f32)
      p.x = from;
    else
      dnnl::reorder(from, p.x).execute(stream(), from, p.x);
    p.y.set_data_handle(y);
    p.matmul.execute(stream(), {{DNNL_ARG_SRC, p.x}, {DNNL_ARG_WEIGHTS, p.w}, {DNNL_ARG_DST, p.y}});
    stream().wait();
  }
  std::unique_ptr<Weights> copy() const override {
    auto other = std::make_unique<Dense>(*this);
    other->products_.clear();
    return other;
  }
};

/// int8 weights with a scale a row; activations with one scale, as unsigned bytes around 128, whose offset a bias takes
/// away again. oneDNN 2 has no scale a token.
class Int8 final : public Prepacked {
 public:
  Int8(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights)
      : Prepacked(rows, columns, memory::data_type::s8),
        bias_({{1, rows}, memory::data_type::s32, memory::format_tag::ab}, engine()),
        scales_(static_cast<std::size_t>(rows)) {
    auto* codes = static_cast<std::int8_t*>(source_.get_data_handle());
    for (std::ptrdiff_t r = 0; r < rows; ++r) {
      const float* row = weights + r * columns;
      float& scale = scales_[static_cast<std::size_t>(r)];
      for (std::ptrdiff_t k = 0; k < columns; ++k) scale = std::max(scale, std::abs(row[k]) / 127);
      std::int32_t sum = 0;
      for (std::ptrdiff_t k = 0; k < columns; ++k)
        sum += codes[r * columns + k] = static_cast<std::int8_t>(std::lrint(row[k] / scale));
      static_cast<std::int32_t*>(bias_.get_data_handle())[r] = -128 * sum;
    }
  }
  void forward(std::ptrdiff_t tokens, const float* x, float* y, int threads) override {
    dnnl::primitive_attr attributes;
    attributes.set_output_scales(2, {DNNL_RUNTIME_F32_VAL});
    Product& p = product(tokens, threads, memory::data_type::u8, bias_.get_desc(), attributes);
    const std::ptrdiff_t n = tokens * columns_;
    float largest = 1e-5f;
#pragma omp parallel for simd reduction(max : largest) num_threads(threads)
    for (std::ptrdiff_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
    auto* codes = static_cast<std::uint8_t*>(p.x.get_data_handle());
    const float inverse = 127 / largest;
#pragma omp parallel for simd num_threads(threads)
    for (std::ptrdiff_t i = 0; i < n; ++i)
      codes[i] = static_cast<std::uint8_t>(static_cast<int>(x[i] * inverse + 128.5f));
    output_.resize(scales_.size());
    for (std::size_t r = 0; r < scales_.size(); ++r) output_[r] = scales_[r] / inverse;
    memory output({{rows_}, memory::data_type::f32, memory::format_tag::a}, engine(), output_.data());
    p.y.set_data_handle(y);
    p.matmul.execute(stream(), {{DNNL_ARG_SRC, p.x},
                                {DNNL_ARG_WEIGHTS, p.w},
                                {DNNL_ARG_BIAS, bias_},
                                {DNNL_ARG_DST, p.y},
                                {DNNL_ARG_ATTR_OUTPUT_SCALES, output}});
    stream().wait();
  }
  std::unique_ptr<Weights> copy() const override {
    auto other = std::make_unique<Int8>(*this);
    other->products_.clear();
    return other;
  }

 private:
  memory bias_;
  std::vector<float> scales_, output_;
};

template <class W>
std::unique_ptr<Weights> prepare(std::ptrdiff_t rows, std::ptrdiff_t columns, const float* weights) {
  return std::make_unique<W>(rows, columns, weights);
}

}  // namespace

TERN_PEER {
  const dnnl_version_t* v = dnnl_version();
  static const Peer peer{"oneDNN",
                         std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch),
                         {{"u8s8", Kind::q8, false, prepare<Int8>},
                          {"bf16", Kind::bf16, false, prepare<Dense<memory::data_type::bf16>>},
                          {"f32", Kind::f32, false, prepare<Dense<memory::data_type::f32>>}}};
  return &peer;
}
