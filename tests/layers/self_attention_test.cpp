#include "tern/layers/self_attention.hpp"

#include "support/layer_contract.hpp"
#include "support/tiny_models.hpp"

using namespace tern;
using namespace tern::test;

namespace {

struct Variant {
  bool head_norms = false, sub_norm = false, biases = false;
  Index window = 0;
};

doctest::String toString(const Variant& v) {
  return (std::string(v.head_norms ? "head norms " : "") + (v.sub_norm ? "sub norm " : "") +
          (v.biases ? "biases " : "") + "window " + std::to_string(v.window))
      .c_str();
}

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const bool head_norms : {false, true})
    for (const bool sub_norm : {false, true})
      for (const bool biases : {false, true})
        for (const Index window : {0, 2}) all.push_back({head_norms, sub_norm, biases, window});
  return all;
}

/// Four query heads of four channels on two key heads, hidden 6, angles stretched by a magnitude.
template <class S>
SelfAttention<S> make(const Variant& v) {
  Random random(31);
  SelfAttention<S> a;
  const auto linear = [&](Index out, Index in) {
    Linear<S> l(Dense<S>(random_matrix<S>(out, in, random, 0.5)));
    if (v.biases) l.bias.emplace(random_matrix<S>(1, out, random, 0.5));
    return l;
  };
  a.query = linear(16, 6);
  a.key = linear(8, 6);
  a.value = linear(8, 6);
  a.output = linear(6, 16);
  const auto norm = [&](std::optional<RmsNorm<S>>& n, Index channels) {
    n.emplace(channels);
    n->gain.value = random_matrix<S>(1, channels, random);
  };
  if (v.head_norms) {
    norm(a.query_norm, 4);
    norm(a.key_norm, 4);
  }
  if (v.sub_norm) norm(a.sub_norm, 16);
  a.rope = Rope<S>(4, {.theta = 100, .magnitude = 1.2});
  a.attention = CausalAttention<S>(4, 2, 4, S(0.4), v.window);
  return a;
}

/// Adapters at the sites of one attention, away from their start.
template <class S>
AdapterSet<S> adapters(const SelfAttention<S>& a, GainKind kind, Index users, Random& random) {
  AdapterSet<S> set;
  SelfAttention<S>::members(a, [&](Site site, const auto& member) {
    if constexpr (requires { member.has_value(); }) {
      if (!member) return;
      set.attach({-1, site}, "gain", UserGain<S>(kind, member->gain.value, member->eps, users));
    } else {
      set.attach({-1, site}, "lora", Lora<S>(member.in(), member.out(), 2, S(3), random, users));
    }
  });
  for_each_parameter(set, [&](std::string_view, Parameter<S>& p) {
    p.value += random_matrix<S>(p.value.rows(), p.value.cols(), random, 0.3);
  });
  return set;
}

}  // namespace

TEST_CASE_TEMPLATE("SelfAttention keeps the layer contract", S, float, double) {
  for (const Variant& v : variants()) {
    CAPTURE(v);
    check_layer_contract(make<S>(v), {.tokens = 5, .in = 6, .out = 6, .seed = 5});
  }
}

TEST_CASE("SelfAttention: gradients of everything attached, several texts and users in one batch") {
  for (const Variant& v : variants()) {
    CAPTURE(v);
    auto layer = make<double>(v);
    Random random(4);
    auto set = adapters(layer, v.window > 0 ? GainKind::absolute : GainKind::relative, 3, random);
    const Sequence sequences[] = {{3, 0}, {0, 0}, {4, 0}};
    const Index users[] = {1, 1, 0, 2, 0, 0, 2};
    Pass pass;
    pass.sequences = sequences;
    pass.user = users;
    Matrix<double> x = random_matrix<double>(7, 6, random), y(7, 6), dx = Matrix<double>::Zero(7, 6);
    const Matrix<double> weight = random_matrix<double>(7, 6, random);
    SelfAttention<double>::Cache cache;
    AdapterSet<double>::Cache of_set;
    Gradients<double> gradients(layer, set);
    layer.forward(pass, x, cache, y, Attached(set, of_set));
    layer.backward(pass, x, cache, weight, dx, gradients, Attached(set, of_set));
    const auto loss = [&] {
      SelfAttention<double>::Cache own;
      AdapterSet<double>::Cache of_own;
      layer.forward(pass, x, own, y, Attached(set, of_own));
      return (y.array() * weight.array()).sum();
    };
    check_gradient("dx", x, dx, loss, 14);
    check_parameter_gradients(layer, gradients, loss, 8);
    check_parameter_gradients(set, gradients, loss, 8);
  }
}

TEST_CASE("SelfAttention: norms of heads are each user's own in a batch of several") {
  const auto layer = make<double>({.head_norms = true});
  Random random(4);
  AdapterSet<double> set;  // nothing else that tells users apart
  for (const Site site : {Site::query_norm, Site::key_norm}) {
    const RmsNorm<double>& norm = site == Site::query_norm ? *layer.query_norm : *layer.key_norm;
    UserGain<double> gain(GainKind::relative, norm.gain.value, norm.eps, 2);
    gain.gain.value = random_matrix<double>(2, 4, random);
    set.attach({-1, site}, "gain", std::move(gain));
  }
  const Matrix<double> a = random_matrix<double>(3, 6, random), b = random_matrix<double>(2, 6, random);
  Matrix<double> both(5, 6);
  both << a, b;
  const auto run = [&](const Matrix<double>& x, std::vector<Index> users, std::vector<Sequence> sequences) {
    Pass pass;
    pass.user = users;
    pass.sequences = sequences;
    SelfAttention<double>::Cache cache;
    AdapterSet<double>::Cache of_set;
    Matrix<double> y(x.rows(), 6);
    layer.forward(pass, x, cache, y, Attached(set, of_set));
    return y;
  };
  const Matrix<double> mixed = run(both, {1, 1, 1, 0, 0}, {{3, 0}, {2, 0}});
  const auto near = [](const auto& p, const auto& q) { return (p - q).cwiseAbs().maxCoeff() < 1e-13; };
  CHECK(near(mixed.topRows(3), run(a, {1, 1, 1}, {})));
  CHECK(near(mixed.bottomRows(2), run(b, {0, 0}, {})));
  CHECK_FALSE(near(mixed.topRows(3), run(a, {0, 0, 0}, {})));
}

TEST_CASE("SelfAttention computes output(sub_norm(attention(rope(norm(Q x)), rope(norm(K x)), V x)))") {
  const auto layer = make<double>({.head_norms = true, .sub_norm = true, .biases = true, .window = 2});
  Random random(4);
  const Matrix<double> x = random_matrix<double>(5, 6, random);
  Matrix<double> y(5, 6);
  SelfAttention<double>::Cache cache;
  layer.forward({}, x, cache, y);

  const auto through = [&](const Linear<double>& l, const Matrix<double>& in) {
    return Matrix<double>((in * l.weight.parameter.value.transpose()).rowwise() + l.bias->value.row(0));
  };
  const auto normed = [](const RmsNorm<double>& n, Matrix<double> m, Index width) {
    for (Index t = 0; t < m.rows(); ++t)
      for (Index at = 0; at < m.cols(); at += width) {
        auto part = m.row(t).segment(at, width);
        const double r = 1 / std::sqrt(part.squaredNorm() / static_cast<double>(width) + n.eps);
        part = (r * part.array() * n.gain.value.row(0).array()).matrix().eval();
      }
    return m;
  };
  Matrix<double> q = normed(*layer.query_norm, through(layer.query, x), 4);
  Matrix<double> k = normed(*layer.key_norm, through(layer.key, x), 4);
  const Matrix<double> v = through(layer.value, x);
  Rope<double>::Tables tables;
  const auto& angles = layer.rope.table({}, 5, tables);
  layer.rope.apply({}, angles, 1, q);
  layer.rope.apply({}, angles, 1, k);
  Matrix<double> out = Matrix<double>::Zero(5, 16);
  for (Index h = 0; h < 4; ++h)
    for (Index t = 0; t < 5; ++t) {
      std::vector<double> p;
      double sum = 0;
      for (Index u = std::max<Index>(0, t - 1); u <= t; ++u)
        sum += p.emplace_back(std::exp(0.4 * q.row(t).segment(4 * h, 4).dot(k.row(u).segment(h / 2 * 4, 4))));
      for (std::size_t i = 0; i < p.size(); ++i)
        out.row(t).segment(4 * h, 4) +=
            p[i] / sum * v.row(std::max<Index>(0, t - 1) + static_cast<Index>(i)).segment(h / 2 * 4, 4);
    }
  CHECK((y - through(layer.output, normed(*layer.sub_norm, out, 16))).cwiseAbs().maxCoeff() < 1e-13);
}

namespace {

struct Kept {
  SelfAttention<float>::Cache cache;
  Matrix<float> y, dx, doutput;
};

/// Forth and back, by plain loops, whose mixed products are float.
Kept forth_and_back(const SelfAttention<float>& layer, Precision precision, const Matrix<float>& x,
                    const Matrix<float>& dy) {
  const kernels::Table plain = kernels::native::table(kernels::Isa::reference);
  const Pass pass{.kernels = &plain, .precision = precision};
  Kept r{{}, Matrix<float>(x.rows(), 6), Matrix<float>::Zero(x.rows(), 6), {}};
  layer.forward(pass, x, r.cache, r.y);
  Gradients<float> gradients(layer.output);
  layer.backward(pass, x, r.cache, dy, r.dx, gradients);
  r.doutput = *gradients.find(layer.output.weight.parameter);
  return r;
}

}  // namespace

TEST_CASE("SelfAttention keeps half as many bytes under mixed precision: q, k, v and attention's output in bf16") {
  Random random(8);
  auto layer = make<float>({.biases = true});
  Matrix<float> x = random_matrix<float>(5, 6, random);
  const Matrix<float> dy = random_matrix<float>(5, 6, random);
  {
    const Kept full = forth_and_back(layer, Precision::full, x, dy),
               mixed = forth_and_back(layer, Precision::mixed, x, dy);
    CHECK(mixed.y == full.y);
    CHECK(mixed.cache.bytes() * 2 == full.cache.bytes());
    CHECK(mixed.dx != full.dx);
    // dW = dy^T * attention, whose numbers are off by bf16_rounding of themselves; and float's own rounding of five
    // terms.
    const Matrix<double> size =
        dy.cast<double>().cwiseAbs().transpose() * full.cache.outputs.attention.cast<double>().cwiseAbs();
    const Matrix<double> off = (mixed.doutput - full.doutput).cast<double>().cwiseAbs();
    CHECK((off.array() <= (kernels::bf16_rounding + 1e-6) * size.array()).all());
    CHECK(off.maxCoeff() > 1e-5);
  }
  // Small whole numbers are numbers of bf16: what goes through q, k and v is the same to the bit.
  const auto whole = [](Matrix<float>& m) { m = (m * 2).array().round().matrix(); };
  whole(x);
  for (Linear<float>* l : {&layer.query, &layer.key, &layer.value}) {
    whole(l->weight.parameter.value);
    whole(l->bias->value);
  }
  const Kept full = forth_and_back(layer, Precision::full, x, dy),
             mixed = forth_and_back(layer, Precision::mixed, x, dy);
  CHECK(mixed.y == full.y);
  CHECK(mixed.dx == full.dx);
}

TEST_CASE("SelfAttention refuses to go back in another precision than it went forth") {
  const auto layer = make<float>({.sub_norm = true});
  const Matrix<float> x = Matrix<float>::Ones(3, 6);
  const Pass full, mixed{.precision = Precision::mixed};
  SelfAttention<float>::Cache cache;
  Gradients<float> none;
  Matrix<float> y(3, 6), dx = x;
  for (const auto& [there, back] : {std::pair(full, mixed), std::pair(mixed, full)}) {
    layer.forward(back, x, cache, y);
    layer.forward(there, x, cache, y);
    CHECK_THROWS_AS(layer.backward(back, x, cache, x, dx, none), ShapeError);
    CHECK(dx == x);
    layer.backward(there, x, cache, x, y, none);
  }
}
