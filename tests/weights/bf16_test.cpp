#include "tern/weights/bf16.hpp"

#include "support/layer_contract.hpp"
#include "tern/layers/linear.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("Bf16 weights keep the layer contract", S, float, double) {
  Random random(5);
  check_layer_contract(Linear<S, Bf16<S>>{Bf16<S>::quantize(random_matrix<S>(33, 70, random))},
                       {.tokens = 5, .in = 70, .out = 33, .seed = 3, .differentiable = false});
}

TEST_CASE("Bf16 weights give the bits of dense ones in mixed precision") {
  Random random(6);
  const Matrix<float> w = random_matrix<float>(65, 130, random), x = random_matrix<float>(9, 130, random),
                      dy = random_matrix<float>(9, 65, random);
  for (const kernels::Isa isa : kernels::runnable_isas()) {
    Pass pass;
    pass.kernels = &kernels::table(isa);
    pass.precision = Precision::mixed;
    const bool rounds = isa == kernels::Isa::avx512_bf16;  // elsewhere mixed precision leaves dense weights as they are
    const Bf16<float> half = Bf16<float>::quantize(w);
    Matrix<float> rounded = w;
    for (float& value : rounded.reshaped()) value = rounds ? value : kernels::to_float(kernels::to_bf16(value));
    const Dense<float> dense(rounded);
    Bf16<float>::Cache a;
    Dense<float>::Cache b;
    Matrix<float> y(9, 65), expected(9, 65), dx = Matrix<float>::Ones(9, 130), dexpected = dx;
    half.multiply(pass, x, a, y);
    dense.multiply(pass, x, b, expected);
    half.multiply_transposed(pass, dy, a, dx);
    dense.multiply_transposed(pass, dy, b, dexpected);
    CAPTURE(kernels::name(isa));
    CHECK((y - expected).cwiseAbs().maxCoeff() <= (rounds ? 0 : 1e-4f));
    CHECK((dx - dexpected).cwiseAbs().maxCoeff() <= (rounds ? 0 : 1e-4f));
  }
}
