/// An adapter that tern lacks, and how it enters the shootout.
/// You learn: what an adapter must offer (concept Adapter), how a row joins the contenders, how to run it on people.
/// Prints: its size beside norm-only's, and what the shootout did with it on two personas.
#include <cstdio>
#include <filesystem>

#include "tern/experiment/shootout.hpp"

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

int main() {
  std::vector<Contender> table = contenders();
  table.push_back({"bias", "a bias at every linear", {1e-3, 3e-3, 1e-2}, false,
                   [](const ModelView& model, AdapterSet<float>& set, Random&) {
                     for (const SiteShape& s : model.sites())
                       if (is_block_linear(s.id)) set.attach(s.id, "bias", OutputBias<float>(s.out));
                   }});

  const std::filesystem::path bundled = TERN_BUNDLED_DIR;
  const Base base = load_base("bundled", bundled / "base.gguf");
  Users users = load_users(bundled / "personas", base, 3);
  users.users.resize(2);

  ShootoutOptions options;
  options.formats = {"norm", "bias"};
  options.experiments = {"E1", "E4", "E9"};
  options.budget = Budget::of_steps(10);
  options.eval_tokens = 256;
  const auto out = std::filesystem::temp_directory_path() / "tern-custom-adapter";
  std::filesystem::remove_all(out);
  Shootout shootout(base, users, options, Pass{}, table);
  const nlohmann::json results = shootout.run(out).value();

  for (const auto& a : results["adapters"])
    std::printf("%-5s for %-8s %5ld numbers, %s, validation %s\n", a["format"].get<std::string>().c_str(),
                a["user"].get<std::string>().c_str(), a["parameters"].get<long>(), a["status"].get<std::string>().c_str(),
                a["curve"][1]["validation_ppl"] < a["curve"][0]["validation_ppl"] ? "better" : "not better");
  std::printf("%zu cells, %zu verdicts, report.html: %s\n", results["cells"].size(), results["verdicts"].size(),
              std::filesystem::exists(out / "report.html") ? "written" : "missing");
  std::filesystem::remove_all(out);
}
