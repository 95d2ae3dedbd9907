#include "tern/train/fit.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "support/bigram_model.hpp"
#include "support/no_allocation.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/sgd.hpp"

using namespace tern;
using namespace tern::test;
using doctest::Approx;

namespace {

/// 0 1 2 3 0 1 2 3 ...
std::vector<Token> cycle(Index n) {
  std::vector<Token> tokens(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<Token>(i % 4);
  return tokens;
}

/// A model, its optimiser and its batches.
template <class O = Adam<double>>
struct Bench {
  template <class Options>
  explicit Bench(const Options& options, Index sequences = 2)
      : optimizer(options, model), batches(text, {.context = 6, .sequences = sequences, .seed = 9}) {}

  template <class Rate = ConstantRate>
  FitResult fit(const FitOptions& options, const FitHooks& hooks = {}, const Rate& rate = {0.1}) {
    return tern::fit(model, cache, Pass{}, optimizer, batches, rate, options, hooks);
  }
  const Matrix<double>& value() const { return model.logits.value; }

  std::vector<Token> text = cycle(64);
  BigramModel<double> model{4};
  BigramModel<double>::Cache cache;
  O optimizer;
  Windows batches;
};

const AdamOptions adam{};
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

FitOptions steps(Index n) {
  FitOptions options;
  options.budget = Budget::of_steps(n);
  return options;
}

/// A batch source whose every text is "0 1".
struct Always01 {
  void next(Batch& batch) const {
    batch.tokens = {0};
    batch.targets = {1};
    batch.sequences = {{1, 0}};
    batch.user.clear();
  }
};

/// As the bigram model, until a step whose loss or gradient is poisoned.
struct Poisoned : BigramModel<double> {
  using BigramModel::BigramModel;
  struct Cache {
    Index calls = 0;
  };
  void nll(const Pass& p, std::span<const Token> x, std::span<const Token> y, Cache&, std::span<double> out) const {
    BigramModel::Cache none;
    BigramModel::nll(p, x, y, none, out);
  }
  double gradients(const Pass& p, std::span<const Token> x, std::span<const Token> y, double scale, Cache& c,
                   Gradients<double>& found) const {
    BigramModel::Cache none;
    const double loss = BigramModel::gradients(p, x, y, scale, none, found);
    if (++c.calls != poisoned_call) return loss;
    if (in_gradient) (*found.find(logits))(0, 0) = poison;
    return in_gradient ? loss : poison;
  }
  Index poisoned_call = 0;
  bool in_gradient = false;
  double poison = 0;
};

}  // namespace

TEST_CASE("fit: learns, and reports what it did") {
  Bench bench(adam);
  std::vector<FitPoint> seen;
  FitHooks hooks;
  hooks.on_step = [&](const FitPoint& p) { seen.push_back(p); };
  const FitResult result = bench.fit(steps(200), hooks);
  CHECK(result.status == FitStatus::finished);
  CHECK(result.ok());
  CHECK(result.steps == 200);
  CHECK(result.best_step == 200);
  CHECK(result.seconds > 0);
  CHECK(result.last_loss < 0.02);
  REQUIRE(result.curve.size() == 1);
  CHECK_FALSE(result.curve[0].validation);
  REQUIRE(seen.size() == 200);
  CHECK(seen[0].step == 1);
  CHECK(seen[0].train_loss == Approx(std::log(4)));
  CHECK(seen[0].rate == 0.1);
  CHECK(seen[0].gradient_norm > 0);
  CHECK(seen[49].fraction == 0.25);
  for (std::size_t i = 1; i < seen.size(); ++i) REQUIRE(seen[i].seconds >= seen[i - 1].seconds);
}

TEST_CASE("fit: one step is the mean gradient over all accumulated targets") {
  // Sequence lengths differ: were each batch's mean averaged, short batches would weigh too much.
  struct Uneven {
    void next(Batch& batch) {
      const bool first = calls++ % 2 == 0;
      batch.tokens = first ? std::vector<Token>{0, 1, 2} : std::vector<Token>{3};
      batch.targets = first ? std::vector<Token>{1, 2, ignored} : std::vector<Token>{0};
      batch.sequences = {{static_cast<Index>(batch.tokens.size()), 0}};
    }
    int calls = 0;
  };
  Bench<Sgd<double>> bench(SgdOptions{});
  Uneven source;
  FitOptions options = steps(1);
  options.accumulate = 2;
  const auto result = tern::fit(bench.model, bench.cache, Pass{}, bench.optimizer, source, ConstantRate{1}, options);
  CHECK(source.calls == 2);
  CHECK(result.last_loss == Approx(std::log(4)));
  Matrix<double> expected = Matrix<double>::Zero(4, 4);
  for (const auto& [token, target] : std::vector<std::pair<int, int>>{{0, 1}, {1, 2}, {3, 0}}) {
    expected.row(token).array() -= 0.25 / 3;
    expected(token, target) += 1.0 / 3;
  }
  CHECK(bench.value().isApprox(expected, 1e-14));
}

TEST_CASE("fit: gradients are clipped, rates follow the schedule") {
  Bench<Sgd<double>> bench(SgdOptions{});
  FitOptions options = steps(1);
  options.clip = 1e-3;
  (void)bench.fit(options, {}, ConstantRate{1});
  CHECK(bench.value().norm() == Approx(1e-3).epsilon(1e-4));

  std::vector<double> rates;
  FitHooks hooks;
  hooks.on_step = [&](const FitPoint& p) { rates.push_back(p.rate); };
  (void)bench.fit(steps(4), hooks, WarmupCosine{.peak = 1, .warmup = 2});
  REQUIRE(rates.size() == 4);
  CHECK(rates[0] == Approx(0.5));
  CHECK(rates[1] == Approx((1 + std::sqrt(0.5)) / 2));
  CHECK(rates[2] == Approx(0.5));
  CHECK(rates[3] == Approx((1 - std::sqrt(0.5)) / 2));
}

TEST_CASE("fit: validation is asked before, every so often and at the end") {
  Bench bench(adam);
  FitOptions options = steps(25);
  FitHooks hooks;
  hooks.validate = [&] {
    const std::vector<Token> x = {0, 1}, y = {1, 2};
    std::vector<double> nll(2);
    bench.model.nll({}, x, y, bench.cache, nll);
    return (nll[0] + nll[1]) / 2;
  };
  std::vector<Index> best;
  hooks.on_best = [&](const FitPoint& p) { best.push_back(p.step); };
  const FitResult result = bench.fit(options, hooks);
  std::vector<Index> at;
  for (const FitPoint& p : result.curve) at.push_back(p.step);
  CHECK(at == std::vector<Index>{0, 10, 20, 25});
  CHECK(best == at);
  CHECK(*result.curve[0].validation == Approx(std::log(4)));
  CHECK(*result.best_validation == *result.curve[3].validation);
  CHECK(*result.best_validation < 0.9);
}

TEST_CASE("fit: the parameters of the best validation come back") {
  Bench bench(adam);
  FitOptions options = steps(60);
  options.validate_every = Budget::of_steps(5);
  Matrix<double> best;
  FitHooks hooks;
  const std::vector<double> script = {5, 3, 4, 2, 6, 7, 8, 9};
  std::size_t calls = 0;
  hooks.validate = [&] { return script.at(calls++); };
  hooks.on_best = [&](const FitPoint&) { best = bench.value(); };

  SUBCASE("after patience is spent") {
    options.patience = 3;
    const FitResult result = bench.fit(options, hooks);
    CHECK(result.status == FitStatus::stopped_early);
    CHECK(result.ok());
    CHECK(result.steps == 30);
    CHECK(result.best_step == 15);
    CHECK(*result.best_validation == 2);
    CHECK(result.curve.size() == 7);
  }
  SUBCASE("after a smaller patience, before a later improvement") {
    options.patience = 1;
    const FitResult result = bench.fit(options, hooks);
    CHECK(result.steps == 10);
    CHECK(result.best_step == 5);
  }
  SUBCASE("at the end of the budget") {
    options.budget = Budget::of_steps(35);
    const FitResult result = bench.fit(options, hooks);
    CHECK(result.status == FitStatus::finished);
    CHECK(result.steps == 35);
    CHECK(result.best_step == 15);
  }
  SUBCASE("even if nothing was better than before training") {
    hooks.validate = [&] { return static_cast<double>(calls++); };
    const FitResult result = bench.fit(steps(20), hooks);
    CHECK(result.best_step == 0);
    CHECK(bench.value().isZero());
  }
  CHECK(bench.value() == best);
}

TEST_CASE("fit: seconds are the budget, and hooks do not count") {
  // However loaded the machine is: a hook takes at least as long as it sleeps, and what is left of the time may count.
  constexpr double budget = 0.02, interval = 0.005, asleep = 0.02;
  Bench bench(adam);
  FitOptions options;
  options.budget = Budget::of_seconds(budget);
  options.validate_every = Budget::of_seconds(interval);
  FitHooks hooks;
  hooks.validate = [=] {
    std::this_thread::sleep_for(std::chrono::duration<double>(asleep));
    return 1.0;
  };
  const Stopwatch watch;
  const FitResult result = bench.fit(options, hooks);
  const double elapsed = watch.seconds(), validations = static_cast<double>(result.curve.size());
  CHECK(result.status == FitStatus::finished);
  CHECK(result.steps >= 1);
  CHECK(result.seconds >= budget);
  CHECK(result.seconds + validations * asleep <= elapsed);
  CHECK(validations >= 1);
  CHECK((validations - 1) * interval <= result.seconds);
}

TEST_CASE("fit: an interruption ends the run before the next step") {
  Bench bench(adam);
  FitHooks hooks;
  int asked = 0;
  hooks.interrupted = [&] { return ++asked > 3; };
  const FitResult result = bench.fit(steps(100), hooks);
  CHECK(result.status == FitStatus::interrupted);
  CHECK(result.steps == 3);
}

TEST_CASE("fit: a poisoned step ends the run as diverged, and the best parameters stay") {
  for (const Index step : {1, 7, 20})
    for (const bool in_gradient : {false, true})
      for (const double poison : {not_a_number, std::numeric_limits<double>::infinity()}) {
        CAPTURE(step);
        CAPTURE(in_gradient);
        CAPTURE(poison);
        Poisoned model(4);
        model.poisoned_call = step;
        model.in_gradient = in_gradient;
        model.poison = poison;
        Adam<double> optimizer({}, model);
        Always01 source;
        FitHooks hooks;
        Matrix<double> best;
        double validation = 10;
        hooks.validate = [&] { return --validation; };
        hooks.on_best = [&](const FitPoint&) { best = model.logits.value; };
        FitOptions options = steps(20);
        options.validate_every = Budget::of_steps(5);
        Poisoned::Cache cache;
        const auto result = fit(model, cache, Pass{}, optimizer, source, ConstantRate{0.1}, options, hooks);
        CHECK(result.status == FitStatus::diverged);
        CHECK_FALSE(result.ok());
        CHECK(result.steps == step - 1);
        CHECK(result.best_step == (step - 1) / 5 * 5);
        CHECK(model.logits.value == best);
        CHECK(model.logits.value.allFinite());
        CHECK(std::isfinite(result.last_loss));
        CHECK(result.reason.find((in_gradient ? "gradient norm " : "loss ") + std::to_string(poison) + " after " +
                                 std::to_string(step - 1) + " steps, last finite loss ") == 0);
      }
}

TEST_CASE("fit: an absurd rate or validation is a divergence too") {
  Bench<Sgd<double>> bench(SgdOptions{});
  Random random(1);
  for (Token& token : bench.text) token = static_cast<Token>(random.below(4));  // nothing to be sure of
  const FitResult result = bench.fit(steps(100), {}, ConstantRate{1e5});
  CHECK(result.status == FitStatus::diverged);
  CHECK(result.steps < 100);

  Bench other(adam);
  FitHooks hooks;
  hooks.validate = [calls = 0]() mutable { return ++calls > 2 ? not_a_number : 1.0; };
  const FitResult broken = other.fit(steps(100), hooks);
  CHECK(broken.status == FitStatus::diverged);
  CHECK(broken.reason.find("validation nan after 20 steps, last finite loss ") == 0);
  CHECK(broken.best_step == 0);
  CHECK(other.value().isZero());
}

TEST_CASE("fit: a run in two parts ends with the bits of one") {
  const WarmupCosine rate{.peak = 0.1, .warmup = 8};
  Bench straight(adam);
  (void)straight.fit(steps(30), {}, rate);

  Bench first(adam);
  FitHooks stop_at_12;
  Index taken = 0;
  stop_at_12.interrupted = [&] { return taken++ == 12; };
  const FitResult part = first.fit(steps(30), stop_at_12, rate);
  REQUIRE(part.steps == 12);

  Bench second(adam);
  second.model.logits.value = first.value();
  second.optimizer.restore(first.optimizer.state());
  second.batches.restore(first.batches.state());
  FitOptions rest = steps(30);
  rest.first_step = part.steps;
  rest.first_seconds = part.seconds;
  const FitResult end = second.fit(rest, {}, rate);
  CHECK(end.steps == 30);
  CHECK(end.seconds > part.seconds);
  CHECK(second.value() == straight.value());
}

TEST_CASE("fit: any number of threads gives the same bits") {
  Matrix<double> first;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    Bench bench(adam);
    FitOptions options = steps(20);
    options.clip = 0.1;
    (void)fit(bench.model, bench.cache, pass, bench.optimizer, bench.batches, ConstantRate{0.1}, options);
    if (threads == 1) first = bench.value();
    CHECK(bench.value() == first);
  }
}

TEST_CASE("fit: after the first step nothing allocates") {
  Bench bench(adam);
  FitOptions options = steps(50);
  options.clip = 0.1;
  options.accumulate = 2;
  FitHooks hooks;
  long after_first = 0, after_last = 0;
  hooks.on_step = [&](const FitPoint& p) { (p.step == 1 ? after_first : after_last) = allocation_count(); };
  (void)bench.fit(options, hooks);
  CHECK(after_first == after_last);
}

TEST_CASE("fit: what makes no sense is refused") {
  Bench bench(adam);
  FitOptions options;
  CHECK_THROWS_WITH_AS(bench.fit(options), "fit budget: expected a limit of steps or seconds, got none", ValueError);
  options.budget = Budget::of_seconds(0);
  CHECK_THROWS_WITH_AS(bench.fit(options), "fit budget: expected more than 0 seconds, got 0.000000", ValueError);
  options.budget = Budget::of_steps(1);
  options.accumulate = -1;
  CHECK_THROWS_WITH_AS(bench.fit(options), "fit: expected to accumulate at least 1 batch, got -1", ValueError);
  options.accumulate = 1;
  options.validate_every = Budget::of_steps(0);
  CHECK_THROWS_WITH_AS(bench.fit(options), "fit validation interval: expected at least 1 step, got 0", ValueError);
  options.validate_every = Budget::of_steps(1);
  options.patience = -1;
  CHECK_THROWS_WITH_AS(bench.fit(options), "fit: expected a patience of 0 or more, got -1", ValueError);
  options.patience = 0;
  BigramModel<double> frozen(4);
  Adam<double> nothing({}, Trainable<double>());
  CHECK_THROWS_WITH_AS(fit(frozen, bench.cache, Pass{}, nothing, bench.batches, ConstantRate{1}, options),
                       "fit: expected trainable parameters, got none", ValueError);
  struct Empty {
    void next(Batch& batch) { batch = Batch{{0}, {ignored}, {{1, 0}}, {}}; }
  } empty;
  CHECK_THROWS_WITH_AS(fit(bench.model, bench.cache, Pass{}, bench.optimizer, empty, ConstantRate{1}, options),
                       "fit: expected a target to train on in step 1", ValueError);
}
