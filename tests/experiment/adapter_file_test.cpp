#include "tern/experiment/adapter_file.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/temporary_directory.hpp"
#include "support/tiny_base.hpp"
#include "tern/experiment/contender.hpp"

using namespace tern;
using namespace tern::test;

namespace {

AdapterSet<float> fresh(const Base& base, const std::string& contender) {
  AdapterSet<float> set;
  Random random(3);
  find_contender(contenders(), contender).attach(ModelView(base.model), set, random);
  return set;
}

}  // namespace

TEST_CASE("adapter files come back as they were, for every contender that attaches something") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  for (const char* contender : {"norm", "lora-r4", "lora-r64"}) {
    auto set = fresh(base, contender);
    Random random(9);
    for_each_parameter(set, [&](std::string_view, Parameter<float>& p) { fill_normal(p.value, random, 1); });
    const auto path = folder.path() / "a.adapter";
    save_adapter(path, set, contender, base.fingerprint);
    const PackedFile file = read_packed(path);
    CHECK(contender_of(file, path, base.fingerprint) == contender);
    auto back = fresh(base, contender);
    fill_adapters(file, path, back);
    std::vector<Matrix<float>> values;
    for_each_parameter(set, [&](std::string_view, Parameter<float>& p) { values.push_back(p.value); });
    std::size_t i = 0;
    for_each_parameter(back, [&](std::string_view, Parameter<float>& p) { CHECK(p.value == values[i++]); });
  }
}

TEST_CASE("adapter files hold every candidate of norm-only's size") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  for (const MatchedAdapter& candidate : size_matched(base.model.sites(), gains(base.model.config))) {
    CAPTURE(candidate.name);
    const auto directions = find_directions<float>({}, base.model, candidate);
    AdapterSet<float> set, back;
    Random random(9);
    attach_matched(base.model, set, candidate, random, directions);
    attach_matched(base.model, back, candidate, random, directions);
    for_each_parameter(set, [&](std::string_view, Parameter<float>& p) { fill_normal(p.value, random, 1); });
    const auto path = folder.path() / "a.adapter";
    save_adapter(path, set, candidate.name, base.fingerprint);
    fill_adapters(read_packed(path), path, back);
    std::vector<Matrix<float>> values;
    for_each_parameter(set, [&](std::string_view, Parameter<float>& p) { values.push_back(p.value); });
    std::size_t i = 0;
    for_each_parameter(back, [&](std::string_view, Parameter<float>& p) { CHECK(p.value == values[i++]); });
  }
}

TEST_CASE("adapter files of another base, another shape or with broken numbers are refused") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  auto set = fresh(base, "norm");
  const auto path = folder.path() / "a.adapter";
  save_adapter(path, set, "norm", base.fingerprint);
  PackedFile file = read_packed(path);
  CHECK_THROWS_WITH_AS(contender_of(file, path, "0123456789abcdef"),
                       ("adapter '" + path.string() + "': base: expected fingerprint 0123456789abcdef, got " + base.fingerprint).c_str(),
                       FormatError);
  auto other = fresh(base, "lora-r4");
  CHECK_THROWS_AS(fill_adapters(file, path, other), FormatError);
  Matrix<float> broken = Matrix<float>::Ones(1, 32);
  broken(0, 5) = std::numeric_limits<float>::quiet_NaN();
  const std::string name = file.tensors[0].name;
  file.tensors[0] = to_tensor(name, broken);
  CHECK_THROWS_WITH_AS(fill_adapters(file, path, set),
                       ("adapter '" + path.string() + "': " + name + "[5]: expected a finite number, got nan").c_str(),
                       FormatError);
  file.tensors[0] = to_tensor(name, Matrix<float>(Matrix<float>::Ones(1, 31)));
  CHECK_THROWS_AS(fill_adapters(file, path, set), FormatError);
}
