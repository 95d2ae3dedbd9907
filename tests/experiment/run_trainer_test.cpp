#include "tern/experiment/run/trainer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "support/tiny_stage.hpp"
#include "tern/experiment/run/calibrate.hpp"
#include "tern/experiment/run/describe.hpp"
#include "tern/experiment/run/evaluator.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// A stage's trainer and evaluator. Borrows the stage.
struct Bench {
  explicit Bench(TinyStage& stage)
      : sources{stage.users.users, stage.generic.tokens, 256},
        trainer(stage.base.model, sources, stage.options, Pass{}, stage.base.prefix()),
        evaluator(stage.base, stage.users, stage.options) {}

  double validation(const TrainedAdapter& a, const std::string& user) {
    return evaluator.validation(a.subject(), trainer.cache(), trainer.pass(), user);
  }
  /// The losses of training steps that change nothing.
  std::vector<double> losses(const std::string& contender, Setting s, Index steps) {
    s.contender = contender;
    TrainedAdapter a = trainer.fresh(find_contender(contenders(), contender), s);
    const FitResult r = trainer.train(a, s, {.steps = steps, .rate = 1e-30, .points = steps}, [] { return 1.0; });
    std::vector<double> all;
    for (const FitPoint& p : r.curve)
      if (p.step > 0) all.push_back(p.train_loss);
    return all;
  }

  TrainingSources sources;
  Trainer trainer;
  Evaluator evaluator;
};

const Setting own = {.contender = "norm", .user = "u0"};

}  // namespace

TEST_CASE("trainer: every contender sees the same windows in the same order; user, seed and data change them") {
  TinyStage stage;
  Bench bench(stage);
  const auto norm = bench.losses("norm", own, 6);
  REQUIRE(norm.size() == 6);
  for (const char* other : {"lora-r4", "full"}) {
    const auto losses = bench.losses(other, own, 6);
    CAPTURE(other);
    for (std::size_t i = 0; i < 6; ++i) CHECK(losses[i] == doctest::Approx(norm[i]).epsilon(1e-6));
  }
  CHECK(bench.losses("norm", own, 6) == norm);
  Setting s = own;
  s.seed = 1;
  CHECK(bench.losses("norm", s, 6) != norm);
  s = own, s.user = "u1";
  CHECK(bench.losses("norm", s, 6) != norm);
  s = own, s.data = {Data::Kind::shuffled};
  CHECK(bench.losses("norm", s, 6) != norm);
  s = own, s.budget = 3, s.weights = "ternary";  // the number of steps is the plan's, the weights the trainer's
  CHECK(bench.losses("norm", s, 6) == norm);
}

TEST_CASE("trainer: windows stay in documents and begin with BOS, in training as in evaluation") {
  for (const bool bos : {false, true}) {
    CAPTURE(bos);
    TinyStage stage(1);
    stage.base = load_base("tiny", write_tiny_base(stage.folder.path(), 1, bos));
    REQUIRE(stage.base.prefix().has_value() == bos);
    // Two documents of one window each, scored as they are trained on: an epoch's mean loss is the validation loss,
    // unless one has BOS and the other has not, or windows run on from one document into the other.
    User& u = stage.users.users[0];
    u.train = {liked_tokens(12, 1, 1), liked_tokens(12, 5, 2)};
    u.validation = {{"v0", u.train[0]}, {"v1", u.train[1]}};
    stage.options.validation_tokens = 1000;
    Bench bench(stage);
    const auto losses = bench.losses("norm", own, 2);
    const double scored = bench.validation(bench.trainer.fresh(contenders()[0], own), "u0");
    CHECK((losses[0] + losses[1]) / 2 == doctest::Approx(scored).epsilon(1e-6));
    CHECK(losses[0] != losses[1]);
  }
}

TEST_CASE("trainer: a curve has twelve points, and fewer where they would be less than five steps apart") {
  for (const auto& [steps, points] : {std::pair<Index, Index>{1, 1}, {5, 1}, {20, 4}, {59, 11}, {60, 12}, {1000, 12}})
    CHECK(curve_points(steps) == points);
}

TEST_CASE("trainer: training lowers the loss of whoever it is for, and the last step is the adapter") {
  TinyStage stage;
  for (const bool early : {false, true}) {
    stage.options.early_stopping = early;
    Bench bench(stage);
    TrainedAdapter a = bench.trainer.fresh(contenders()[0], own);
    double at_best = 1e9, last = 0;
    int asked = 0;
    const auto validate = [&] {
      last = ++asked == 3 ? 1.0 : bench.validation(a, "u0");  // the third is said to be the best one by far
      if (asked == 3) at_best = bench.validation(a, "u0");
      return last;
    };
    const double before = bench.validation(a, "u0");
    const FitResult r = bench.trainer.train(a, own, {.steps = 12, .rate = 3e-2, .points = 4}, validate);
    REQUIRE(r.ok());
    CHECK(asked >= 5);
    CHECK(bench.validation(a, "u0") < before);
    CHECK((bench.validation(a, "u0") == at_best) == early);
    if (!early) CHECK(bench.validation(a, "u0") == last);
  }
}

TEST_CASE("trainer: a full fine-tune trains a copy; the base stays, and initial values depend on the seed") {
  TinyStage stage;
  Bench bench(stage);
  const auto base = [&] {
    return bench.evaluator.score(bench.trainer.model(), bench.trainer.cache().decoder, bench.trainer.pass(), "u0").nll;
  };
  const double before = base();
  TrainedAdapter full = bench.trainer.fresh(find_contender(contenders(), "full"), own);
  CHECK(full.is_copy());
  CHECK(full.parameters() == parameters(stage.base.model.config));
  REQUIRE(bench.trainer.train(full, own, {.steps = 4, .rate = 1e-2}, nullptr).ok());
  CHECK(base() == before);
  CHECK(bench.evaluator.score(full.subject(), bench.trainer.cache(), bench.trainer.pass(), "u0").nll < before);

  const auto values = [&](Index seed) {
    Setting s = own;
    s.seed = seed;
    const TrainedAdapter lora = bench.trainer.fresh(find_contender(contenders(), "lora-r4"), s);
    double sum = 0;
    for_each_parameter(lora.set(),
                       [&](std::string_view, const auto& p) { sum += p.value.template cast<double>().sum(); });
    return sum;
  };
  CHECK(values(0) == values(0));
  CHECK(values(0) != values(1));
}

TEST_CASE("trainer: an interrupted run says so") {
  TinyStage stage;
  Bench bench(stage);
  const std::atomic<bool> stop{true};
  bench.trainer.interrupted = &stop;
  TrainedAdapter a = bench.trainer.fresh(contenders()[0], own);
  CHECK(bench.trainer.train(a, own, {.steps = 4, .rate = 1e-2}, nullptr).status == FitStatus::interrupted);
}

TEST_CASE(
    "evaluator: the same chunks for each contender, exactly as many tokens as asked for, from held-out text alone") {
  TinyStage stage;
  Bench bench(stage);
  const TrainedAdapter norm = bench.trainer.fresh(contenders()[0], own);
  const CellRecord base =
      bench.evaluator.score(bench.trainer.model(), bench.trainer.cache().decoder, bench.trainer.pass(), "u1");
  TrainedAdapter lora = bench.trainer.fresh(find_contender(contenders(), "lora-r4"), own);
  REQUIRE(bench.trainer.train(lora, own, {.steps = 2, .rate = 1e-2}, nullptr).ok());
  const CellRecord other = bench.evaluator.score(lora.subject(), bench.trainer.cache(), bench.trainer.pass(), "u1");
  CHECK(base.user == "u1");
  CHECK(base.tokens == 96);
  CHECK(other.nll != base.nll);
  REQUIRE(base.chunks.size() == other.chunks.size());
  double nll = 0;
  Index tokens = 0;
  std::set<Index> documents;
  for (std::size_t i = 0; i < base.chunks.size(); ++i) {
    CHECK(base.chunks[i].document == other.chunks[i].document);
    CHECK(base.chunks[i].tokens == other.chunks[i].tokens);
    nll += base.chunks[i].nll, tokens += base.chunks[i].tokens, documents.insert(base.chunks[i].document);
  }
  CHECK(nll == doctest::Approx(base.nll));
  CHECK(tokens == base.tokens);
  CHECK(documents.size() > 1);
  // Adapters that change nothing change no bit of the base's losses.
  CHECK(bench.evaluator.score(norm.subject(), bench.trainer.cache(), bench.trainer.pass(), "u1").nll ==
        doctest::Approx(base.nll).epsilon(1e-6));
  CHECK(bench.evaluator.seconds_of(96) > 0);
}

TEST_CASE("evaluator: placeholders are context and never targets") {
  TinyStage stage;
  for (ScoredDocument& d : stage.users.users[0].held_out) {
    d.is_context.assign(d.tokens.size(), false);
    for (std::size_t i = 0; i < d.tokens.size(); i += 3) d.is_context[i] = true;
    d.bytes.assign(d.tokens.size(), 1);
    for (std::size_t i = 0; i < d.tokens.size(); i += 3) d.bytes[i] = 1000;  // of what is never scored
  }
  stage.options.eval_tokens = 10'000;
  Bench bench(stage);
  const auto score = [&](const std::string& user) {
    return bench.evaluator.score(bench.trainer.model(), bench.trainer.cache().decoder, bench.trainer.pass(), user);
  };
  const CellRecord masked = score("u0"), plain = score("u1");
  CHECK(masked.tokens == masked.bytes);
  CHECK(masked.tokens == doctest::Approx(plain.tokens * 2 / 3.0).epsilon(0.05));
}

TEST_CASE("evaluator: a model of broken numbers is NaN in validation and an error in scoring") {
  TinyStage stage;
  Bench bench(stage);
  const Contender broken{.name = "broken",
                         .title = "",
                         .rates = {1},
                         .attach = [](const ModelView& model, AdapterSet<float>& set, Random&) {
                           attach_user_gains(model, set);
                           for_each_parameter(set, [](std::string_view, auto& p) {
                             p.value.setConstant(std::numeric_limits<float>::quiet_NaN());
                           });
                         }};
  TrainedAdapter a = bench.trainer.fresh(broken, own);
  CHECK(std::isnan(bench.validation(a, "u0")));
  CHECK_THROWS_AS(bench.evaluator.score(a.subject(), bench.trainer.cache(), bench.trainer.pass(), "u0"), DivergedError);
  const FitResult r =
      bench.trainer.train(a, own, {.steps = 2, .rate = 1e-3}, [&] { return bench.validation(a, "u0"); });
  CHECK(r.status == FitStatus::diverged);
}

TEST_CASE("calibrate: a positive median for each contender; a budget of seconds becomes steps, at least one") {
  TinyStage stage;
  Bench bench(stage);
  const auto seconds = calibrate(bench.trainer, {contenders()[0], contenders()[1]}, {"u0", "u1"}, {.rounds = 3});
  REQUIRE(seconds.size() == 2);
  CHECK(seconds.at("norm") > 0);
  CHECK(seconds.at("lora-r4") > 0);
  CHECK(steps_of(Budget::of_seconds(10), 0.3) == 33);
  CHECK(steps_of(Budget::of_seconds(10), 30) == 1);
  CHECK(steps_of(Budget::of_seconds(10), 0) == 1'000'000'000'000);
  CHECK(steps_of(Budget::of_steps(7), 30) == 7);
}

TEST_CASE("describe: what results say of users, sites, base and build") {
  User u = made_up_user("anna", 1);
  u.owners = {{.service = "mail", .name = "anna@example.org", .reason = "most mails", .guessed = true}};
  u.scrubbed = {{"email", 3}};
  u.skipped = {{.name = "x.bin", .reason = "binary", .count = 2}};
  u.one_work = true;
  const UserRecord r = describe_user(u);
  CHECK(r.name == "anna");
  CHECK(r.guessed_owner);
  CHECK(r.owners == std::vector<std::string>{"mail: anna@example.org (guessed: most mails)"});
  CHECK(r.train_tokens == 480);
  CHECK(r.validation_tokens == 120);
  CHECK(r.held_out_tokens == 270);
  CHECK(r.scrubbed.at("email") == 3);
  CHECK(r.skipped.at("binary") == 2);
  CHECK(r.files.size() == 1);
  CHECK(r.one_work);
  CHECK(r.split == "by document");

  TinyStage stage(1);
  const BaseRecord base = describe_base(stage.base);
  CHECK(base.parameters == parameters(stage.base.model.config));
  CHECK(base.ternary_twin);
  CHECK(base.types == std::map<std::string, double>{{"f32", 1.0}});
  CHECK(describe_sites(std::vector<SiteId>{{0, Site::down}, {0, Site::query}, {1, Site::down}}) ==
        "down, query: 2 layers");
  CHECK(describe_sites(std::vector<SiteId>{{3, Site::down}}) == "down: 1 layer");
  const BuildRecord build = describe_build("abc", Pass{}, 3);
  CHECK(build.commit == "abc");
  CHECK(build.threads == 3);
  CHECK(!build.isa.empty());
  CHECK(!build.cpu.empty());
}

TEST_CASE("trainer: a full fine-tune with state in bf16 comes near the float one; adapters take no notice") {
  TinyStage stage;
  const auto validation = [&](const char* contender, StateType state) {
    stage.options.state = state;
    Bench bench(stage);
    Setting s = own;
    s.contender = contender;
    TrainedAdapter a = bench.trainer.fresh(find_contender(contenders(), contender), s);
    CHECK(a.optimizer({}, state).state().moments[0].is_bf16() == (state == StateType::bf16 && a.is_copy()));
    const double before = bench.validation(a, "u0");
    bench.trainer.train(a, s, {.steps = 20, .rate = 3e-3}, nullptr);
    const double after = bench.validation(a, "u0");
    CHECK(after < before);
    return std::pair(before, after);
  };
  const auto full = validation("full", StateType::full), narrow = validation("full", StateType::bf16);
  CHECK(narrow.second != full.second);
  CHECK(std::abs(narrow.second - full.second) < 0.02 * (full.first - full.second));
  CHECK(validation("full", StateType::bf16) == narrow);
  CHECK(validation("norm", StateType::bf16) == validation("norm", StateType::full));
}
