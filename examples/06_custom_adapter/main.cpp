/// An adapter that tern lacks, put up as champion of a shootout.
/// You learn: what an adapter must offer (concept Adapter), how a row joins the contenders, how to run and read a shootout.
/// Prints: its size beside norm-only's, and which verdicts a run of a few steps gives on the bundled personas.
/// With arguments it is the whole of tern-shootout for that table: `06_custom_adapter run --champion bias --users people`.
#include <cstdio>
#include <filesystem>

#include "../shootout/command_line.hpp"
#include "tern/experiment/run/shootout.hpp"

using namespace tern;

/// A bias at a linear's output (BitFit, arXiv 2106.10199): y[t,c] += bias[c]. Starts as no change.
template <std::floating_point S>
class OutputBias {
 public:
  using Scalar = S;
  struct Cache {};  // backward needs nothing of forward

  explicit OutputBias(Index out) : bias(Matrix<S>(Matrix<S>::Zero(1, out))) {}

  void forward(const Pass&, In<S>, Cache&, Out<S> y) const { y.rowwise() += bias.value.row(0); }

  /// dy passes unchanged, dx gets nothing; dbias += sum_t dy[t]. Without a gradient to add to, the bias is frozen.
  void backward(const Pass&, In<S>, Cache&, Out<S> dy, Out<S>, Gradients<S>& gradients) const {
    if (Matrix<S>* dbias = gradients.find(bias)) dbias->row(0) += dy.colwise().sum();
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("bias", self.bias);
  }

  Parameter<S> bias;
};
static_assert(Adapter<OutputBias<float>>);

/// The row: name, title, the learning rates that the pilots start from, whether the base trains, what is attached.
Contender bias_contender() {
  return {"bias", "a bias at every linear", {1e-3, 3e-3, 1e-2}, false,
          [](const ModelView& model, AdapterSet<float>& set, Random&) {
            for (const SiteShape& s : model.sites())
              if (is_block_linear(s.id)) set.attach(s.id, "bias", OutputBias<float>(s.out));
          }};
}

int main(int argc, char** argv) {
  std::vector<Contender> table = contenders();
  table.push_back(bias_contender());
  if (argc > 1) return program::shootout(argc, argv, table);

  const std::filesystem::path bundled = TERN_BUNDLED_DIR;
  const Base base = load_base("bundled", bundled / "base.gguf");
  Users users = load_users(bundled / "personas", base);
  users.users.resize(3);

  ShootoutOptions options;
  options.contenders = {"bias", "norm"};
  options.roles = {"bias", {"norm"}, ""};  // the champion, its rivals, and no fallback
  options.experiments = {"E1", "E4", "E9"};
  options.budget = Budget::of_steps(5);
  options.eval_tokens = 256;
  options.validation_tokens = 64;
  options.pilots = 1;
  options.most_rates = 3;
  const auto out = std::filesystem::temp_directory_path() / "tern-custom-adapter";
  std::filesystem::remove_all(out);
  Shootout shootout(base, users, {}, options, Pass{}, table);
  const auto [results, findings] = shootout.run(out).value();

  for (const ContenderRecord& c : results.protocol.contenders)
    std::printf("%-22s %5td numbers a person\n", c.title.c_str(), c.parameters);
  for (const Finding& f : findings.experiments)
    for (const Claim& claim : f.claims)
      std::printf("%s: %s against %s, %zu people: %s\n", f.id.c_str(), claim.a.c_str(), claim.b.c_str(), claim.names.size(),
                  std::string(name(claim.answer)).c_str());
  std::printf("the default: %s\n", findings.decision.contender.empty() ? "none" : findings.decision.contender.c_str());
  std::printf("%zu cells; report.html: %s\n", results.cells.size(),
              std::filesystem::exists(out / "report.html") ? "written" : "missing");
  std::filesystem::remove_all(out);
}
