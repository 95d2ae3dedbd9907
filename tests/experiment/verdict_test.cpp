#include "tern/experiment/verdict.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using doctest::Approx;
using nlohmann::json;
using tern::Index;

namespace {

/// A results document to fill: every chunk has 10 tokens, and all chunks of a cell about the same loss.
class Results {
 public:
  explicit Results(std::vector<std::string> users, std::vector<std::string> experiments = {"E1"}) {
    document = {{"protocol", {{"experiments", experiments}}}, {"adapters", json::array()}, {"cells", json::array()}};
    for (const auto& user : users) document["users"].push_back({{"name", user}});
  }

  /// `level` nats a token, the chunks a little above and below; equal users and texts vary equally, so that they pair.
  Results& cell(const json& adapter, const std::string& user, double level, const std::string& weights = "dense") {
    for (Index text = 0; text < texts; ++text) {
      json chunks = json::array();
      for (Index i = 0; i < chunks_a_text; ++i) chunks.push_back({10 * (level + 0.1 * std::sin(i + text)), 10});
      document["cells"].push_back({{"adapter", adapter},
                                   {"weights", weights},
                                   {"user", user},
                                   {"text", text},
                                   {"nll", 10 * chunks_a_text * level},
                                   {"tokens", 10 * chunks_a_text},
                                   {"chunks", chunks}});
    }
    return *this;
  }
  Results& base(const std::string& user, double level, const std::string& weights = "dense") {
    return cell(nullptr, user, level, weights);
  }

  struct How {
    std::string data = "real";
    Index seed = 0;
    std::string weights = "dense";
    std::string status = "ok";
  };
  static std::string id(const std::string& format, const std::string& user, const How& how) {
    return format + "/" + user + "/" + how.data + "/" + std::to_string(how.seed) + "/" + how.weights;
  }
  json& adapter(const std::string& format, const std::string& user, const How& how) {
    document["adapters"].push_back({{"id", id(format, user, how)},
                                    {"format", format},
                                    {"user", user},
                                    {"seed", how.seed},
                                    {"data", how.data},
                                    {"weights", how.weights},
                                    {"bytes", 9000},
                                    {"steps", 100},
                                    {"seconds", 50},
                                    {"curve", json::array()},
                                    {"status", how.status}});
    return document["adapters"].back();
  }
  Results& run(const std::string& format, const std::string& user, double level, const How& how) {
    adapter(format, user, how);
    return cell(id(format, user, how), user, level, how.weights);
  }
  Results& run(const std::string& format, const std::string& user, double level) {
    return run(format, user, level, How());
  }
  Results& failed(const std::string& format, const std::string& user, const std::string& data = "real") {
    adapter(format, user, {data, 0, "dense", "failed"});
    return *this;
  }

  json judge(const std::string& experiment) const { return tern::verdicts(document)[experiment]; }

  json document;
  Index texts = 3, chunks_a_text = 4;
};

using How = Results::How;

/// E1 with norm-only `ahead` nats below LoRA-r4, and that 0.1 below full fine-tuning.
Results formats(const std::vector<double>& ahead) {
  std::vector<std::string> users;
  for (std::size_t i = 0; i < ahead.size(); ++i) users.push_back("user" + std::to_string(i));
  Results out(users);
  for (std::size_t i = 0; i < ahead.size(); ++i)
    out.base(users[i], 3.5).run("norm", users[i], 3 - ahead[i]).run("lora-r4", users[i], 3).run("full", users[i], 3.1);
  return out;
}

/// Everybody's adapter on everybody's text: `own` nats on one's own, `other` on the others', the base 3.5.
Results confusion(double own, double other, std::size_t users, const std::string& format = "norm") {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < users; ++i) names.push_back("user" + std::to_string(i));
  Results out(names, {"E4"});
  for (const auto& user : names) {
    out.base(user, 3.5).run(format, user, own);
    for (const auto& reader : names)
      if (reader != user) out.cell(Results::id(format, user, How()), reader, other);
  }
  return out;
}

bool all_finite(const json& j) {
  if (!j.is_structured()) return !j.is_number() || std::isfinite(j.get<double>());
  return std::all_of(j.begin(), j.end(), all_finite);
}

bool says(const json& verdict, const std::string& words) {
  return verdict["sentence"].get<std::string>().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("verdicts: E1 holds where norm-only is lowest for every user") {
  const json e1 = formats({0.1, 0.2}).judge("E1");
  CAPTURE(e1.dump(1));
  CHECK(e1["holds"] == true);
  CHECK_FALSE(e1.contains("reason"));
  CHECK(e1["numbers"]["won"] == 2);
  CHECK(e1["numbers"]["users"] == 2);
  CHECK(e1["numbers"]["best_rival"] == "lora-r4");
  CHECK(e1["numbers"]["margins"]["lora-r4"]["user0"]["point"].get<double>() == Approx(1 - std::exp(-0.1)));
  CHECK(e1["numbers"]["margins"]["full"]["user1"]["point"].get<double>() == Approx(1 - std::exp(-0.3)));
  CHECK(e1["interval"]["point"].get<double>() == Approx(1 - std::exp(-0.15)));
  CHECK(e1["interval"]["low"] <= e1["interval"]["point"]);
  CHECK(e1["interval"]["point"] <= e1["interval"]["high"]);
  CHECK(e1["interval"]["chunks"] == 24);
  CHECK(e1["comparisons"] == 6);
  CHECK(says(e1, "all 2 users"));
  CHECK(says(e1, "13.9% lower than that of LoRA-r4"));
}

TEST_CASE("verdicts: E1 does not hold where one user is lost, and says a loss as plainly as a win") {
  const json one = formats({0.1, -0.2}).judge("E1");
  CHECK(one["holds"] == false);
  CHECK(one["numbers"]["won"] == 1);
  CHECK(one["numbers"]["lowest"]["user1"] == false);
  CHECK(says(one, "1 of 2 users"));
  CHECK(says(one, "does not win for every user"));
  const json none = formats({-0.1}).judge("E1");
  CHECK(says(none, "none of 1 user"));
  CHECK(says(none, "10.5% higher than that of LoRA-r4"));
}

TEST_CASE("verdicts: a tie is not a win, and an interval around it includes no difference") {
  const json e1 = formats({0}).judge("E1");
  CHECK(e1["holds"] == false);
  CHECK(says(e1, "the same as that of LoRA-r4"));
  CHECK(says(e1, "includes no difference"));
}

TEST_CASE("verdicts: a size-matched LoRA is reported beside E1 and does not decide it") {
  const json e1 = formats({0.1}).run("lora-matched", "user0", 2).judge("E1");
  CHECK(e1["holds"] == true);
  CHECK(e1["numbers"]["margins"]["lora-matched"]["user0"]["point"] < 0);
}

TEST_CASE("verdicts: a failed rival is beaten, a failed norm-only run is lost") {
  Results rival({"ann"}), norm({"ann"}), both({"ann"});
  rival.run("norm", "ann", 3).run("lora-r4", "ann", 3.1).failed("full", "ann");
  CHECK(rival.judge("E1")["holds"] == true);
  CHECK(says(rival.judge("E1"), "1 rival run failed and counts as beaten"));
  norm.failed("norm", "ann").run("full", "ann", 3);
  CHECK(norm.judge("E1")["holds"] == false);
  CHECK(norm.judge("E1")["interval"] == nullptr);
  CHECK(says(norm.judge("E1"), "1 norm-only run failed and counts as lost"));
  both.failed("norm", "ann").failed("full", "ann");
  CHECK(both.judge("E1")["holds"] == false);
}

TEST_CASE("verdicts: a perplexity that is not finite is a failed run") {
  Results results = formats({0.1});
  for (auto& cell : results.document["cells"])
    if (cell["adapter"] == Results::id("norm", "user0", How())) cell["chunks"][1][0] = nullptr;
  CHECK(results.judge("E1")["holds"] == false);
  CHECK(results.judge("E1")["numbers"]["ppl"]["user0"]["norm"] == nullptr);
  // So large that only its logarithm is a number.
  Results huge({"ann"});
  huge.run("norm", "ann", 3).run("full", "ann", 800);
  CHECK(huge.judge("E1")["holds"] == true);
  CHECK(huge.judge("E1")["numbers"]["ppl"]["ann"]["full"] == nullptr);
  CHECK(all_finite(tern::verdicts(huge.document)));
}

TEST_CASE("verdicts: what was not measured leaves E1 open, unless it is lost anyway") {
  Results open({"ann", "bob"}), lost({"ann", "bob"});
  open.run("norm", "ann", 3).run("full", "ann", 3.1).run("norm", "bob", 3);
  CHECK(open.judge("E1")["holds"] == nullptr);
  CHECK(open.judge("E1")["reason"] == "1 user not measured");
  lost.run("norm", "ann", 3).run("full", "ann", 2.9).run("norm", "bob", 3);
  CHECK(lost.judge("E1")["holds"] == false);
  CHECK(Results({"ann"}).run("norm", "ann", 3).judge("E1")["reason"] == "neither LoRA-r4 nor full fine-tuning was run");
  CHECK(Results({"ann"}).run("full", "ann", 3).judge("E1")["reason"] == "norm-only was not run");
}

TEST_CASE("verdicts: one chunk of text has no interval") {
  Results one({"ann"});
  one.texts = one.chunks_a_text = 1;
  const json e1 = one.run("norm", "ann", 3).run("full", "ann", 3.1).judge("E1");
  CHECK(e1["interval"]["low"] == nullptr);
  CHECK(says(e1, "one chunk of text"));
}

TEST_CASE("verdicts: E2 counts cells of seeds and eval texts") {
  Results results({"ann", "bob"}, {"E2"});
  CHECK(results.run("norm", "ann", 3).run("full", "ann", 3.1).judge("E2")["reason"] ==
        "one seed only, so nothing was replicated");
  results.run("norm", "bob", 3.05).run("full", "bob", 3.1);
  for (const Index seed : {1, 2})
    for (const char* user : {"ann", "bob"})
      results.run("norm", user, seed == 2 ? 3.2 : 3, {"real", seed}).run("full", user, 3.1, {"real", seed});
  const json e2 = results.judge("E2");
  CAPTURE(e2.dump(1));
  CHECK(e2["holds"] == false);
  CHECK(e2["numbers"]["cells"] == 9);
  CHECK(e2["numbers"]["won"] == 6);
  CHECK(e2["numbers"]["user_cells"] == 18);
  CHECK(e2["numbers"]["user_cells_won"] == 12);
  CHECK(says(e2, "6 of 9 cells (3 seeds by 3 eval texts)"));
  CHECK(e2["interval"]["chunks"] == 24);
}

TEST_CASE("verdicts: E2 loses the cells of a seed in which norm-only failed") {
  Results results({"ann", "bob"}, {"E2"});
  for (const Index seed : {0, 1})
    for (const char* user : {"ann", "bob"}) {
      results.run("full", user, 3.1, {"real", seed});
      if (seed == 0 || std::string(user) == "ann") results.run("norm", user, 3, {"real", seed});
    }
  CHECK(results.judge("E2")["holds"] == true);
  results.adapter("norm", "bob", {"real", 1, "dense", "failed"});
  CHECK(results.judge("E2")["holds"] == false);
  CHECK(results.judge("E2")["numbers"]["won"] == 3);
}

TEST_CASE("verdicts: E3 asks for both kinds of noise, on most users") {
  const auto noise = [](double uniform, double shuffled, int passing) {
    Results results({"ann", "bob", "cid"}, {"E3"});
    int i = 0;
    for (const char* user : {"ann", "bob", "cid"}) {
      const bool passes = i++ < passing;
      results.base(user, 3.5).run("norm", user, passes ? 3 : 3.6);
      results.run("norm", user, uniform, {"uniform"}).run("norm", user, shuffled, {"shuffled"});
    }
    return results;
  };
  const json most = noise(3.4, 3.3, 2).judge("E3");
  CHECK(most["holds"] == true);
  CHECK(most["numbers"]["formats"]["norm"]["passed"] == 2);
  CHECK(most["numbers"]["formats"]["norm"]["users"]["ann"]["over_uniform"]["point"].get<double>() ==
        Approx(1 - std::exp(-0.4)));
  CHECK(most["interval"]["point"].get<double>() == Approx(1 - std::exp(-0.1)));
  CHECK(most["comparisons"] == 8);
  CHECK(noise(3.4, 3.3, 1).judge("E3")["holds"] == false);
  CHECK(noise(3.4, 2.9, 3).judge("E3")["holds"] == false);
  CHECK(says(noise(3.4, 2.9, 3).judge("E3"), "not shown to be more than regularisation"));

  Results one({"ann"}, {"E3"});
  one.run("norm", "ann", 3).run("norm", "ann", 3.1, {"uniform"});
  CHECK(one.judge("E3")["reason"] == "norm-only was not trained on shuffled tokens");
  CHECK(one.failed("norm", "ann", "shuffled").judge("E3")["holds"] == false);
}

TEST_CASE("verdicts: E3 wants the interval above zero, not the point alone") {
  Results results({"ann"}, {"E3"});
  results.run("norm", "ann", 3).run("norm", "ann", 3.001, {"uniform"}).run("norm", "ann", 3.4, {"shuffled"});
  CHECK(results.judge("E3")["holds"] == true);
  // One chunk of the noise run is far worse, half of the others a little better: positive, but not surely.
  auto& chunks = results.document["cells"][3]["chunks"];
  for (int i = 0; i < 4; ++i) chunks[i][0] = chunks[i][0].get<double>() + (i == 0 ? 5 : -1);
  const json e3 = results.judge("E3");
  CHECK(e3["numbers"]["formats"]["norm"]["users"]["ann"]["over_uniform"]["point"] > 0);
  CHECK(e3["numbers"]["formats"]["norm"]["users"]["ann"]["over_uniform"]["low"] < 0);
  CHECK(e3["holds"] == false);
}

TEST_CASE("verdicts: E4 holds where the own adapter beats base, mean and best of the others by 5%") {
  const json e4 = confusion(3, 3.3, 3).judge("E4");
  CAPTURE(e4.dump(1));
  CHECK(e4["holds"] == true);
  const json& norm = e4["numbers"]["formats"]["norm"];
  CHECK(norm["matrix"].size() == 3);
  CHECK(norm["users"]["user0"]["over_base"]["point"].get<double>() == Approx(1 - std::exp(-0.5)));
  CHECK(norm["users"]["user0"]["over_mean"]["point"].get<double>() == Approx(1 - std::exp(-0.3)));
  CHECK(norm["users"]["user0"]["over_best"]["point"].get<double>() == Approx(1 - std::exp(-0.3)));
  CHECK(norm["users"]["user0"]["best"] == "user1");
  CHECK(norm["matrix"][0][0] == norm["matrix"][1][1]);
  CHECK(norm["matrix"][0][1].get<double>() > norm["matrix"][0][0].get<double>());
  CHECK(e4["comparisons"] == 12);

  const json weak = confusion(3, 3.04, 3).judge("E4");
  CHECK(weak["holds"] == false);
  CHECK(says(weak, "none of 3 users"));
  CHECK(says(weak, "not shown to be the person's own"));
}

TEST_CASE("verdicts: E4's mean of the others is geometric, and its best the lowest") {
  Results results({"ann", "bob", "cid"}, {"E4"});
  results.base("ann", 4).run("norm", "ann", 3);
  results.adapter("norm", "bob", How());
  results.adapter("norm", "cid", How());
  results.cell(Results::id("norm", "bob", How()), "ann", 3.8).cell(Results::id("norm", "cid", How()), "ann", 3.2);
  const json ann = results.judge("E4")["numbers"]["formats"]["norm"]["users"]["ann"];
  CHECK(ann["over_mean"]["point"].get<double>() == Approx(1 - std::exp(-0.5)));
  CHECK(ann["over_best"]["point"].get<double>() == Approx(1 - std::exp(-0.2)));
  CHECK(ann["best"] == "cid");
  CHECK(results.judge("E4")["holds"] == nullptr);  // bob and cid were not measured
}

TEST_CASE("verdicts: E4 of one user is open") {
  CHECK(confusion(3, 3.3, 1).judge("E4")["holds"] == nullptr);
  CHECK(confusion(3, 3.3, 1).judge("E4")["reason"] == "fewer than two users, so nobody to compare with");
}

TEST_CASE("verdicts: E6 measures what a ternary base gets back") {
  const auto ternary = [](double norm_on_ternary, double dense_norm) {
    Results results({"ann"}, {"E6"});
    results.base("ann", 3.5).base("ann", 4, "ternary").run("norm", "ann", dense_norm);
    results.run("norm", "ann", norm_on_ternary, {"real", 0, "ternary"});
    return results.judge("E6");
  };
  const json half = ternary(3.7, 3);
  CHECK(half["holds"] == true);
  CHECK(half["numbers"]["median_recovery"].get<double>() == Approx(0.6));
  CHECK(half["numbers"]["median_gap"].get<double>() == Approx(std::exp(0.7)));
  CHECK(ternary(3.9, 3)["holds"] == false);
  CHECK(ternary(4.1, 3)["numbers"]["beaten"] == 0);
  CHECK(ternary(3.7, 3.6)["holds"] == nullptr);
  CHECK(says(ternary(3.7, 3.6), "1 user gained nothing on the dense base"));
  CHECK(Results({"ann"}, {"E6"}).run("norm", "ann", 3).judge("E6")["reason"] ==
        "norm-only was not run on the ternary base");
  CHECK(Results({"ann"}, {"E6"}).run("norm", "ann", 3, {"real", 0, "ternary"}).judge("E6")["holds"] == nullptr);

  Results failed({"ann"}, {"E6"});
  failed.base("ann", 3.5).base("ann", 4, "ternary").run("norm", "ann", 3);
  failed.adapter("norm", "ann", {"real", 0, "ternary", "failed"});
  CHECK(failed.judge("E6")["holds"] == false);
  CHECK(failed.judge("E6")["numbers"]["median_recovery"] == nullptr);
}

TEST_CASE("verdicts: E9 tells what fleets cost") {
  Results results({"ann", "bob", "cid"}, {"E9"});
  const double bytes[] = {8000, 9000, 70000};
  int i = 0;
  for (const char* user : {"ann", "bob", "cid"}) results.adapter("norm", user, How())["bytes"] = bytes[i++];
  const json e9 = results.judge("E9");
  CHECK(e9["holds"] == nullptr);
  CHECK(e9["reason"] == "a cost, not a claim");
  const json& norm = e9["numbers"]["formats"]["norm"];
  CHECK(norm["bytes"] == 9000);
  CHECK(norm["fleets"]["215,000"]["bytes"] == 1935000000);
  CHECK(norm["fleets"]["215,000"]["words"] == "1.9 GB");
  CHECK(norm["fleets"]["10,000,000"]["words"] == "90 GB");
}

TEST_CASE("verdicts: bytes in words keep two digits") {
  using tern::verdict::fleet_bytes;
  CHECK(fleet_bytes(0) == "0 B");
  CHECK(fleet_bytes(999) == "999 B");
  CHECK(fleet_bytes(9216) == "9.2 kB");
  CHECK(fleet_bytes(645e9) == "645 GB");
  CHECK(fleet_bytes(30e12) == "30 TB");
  CHECK(fleet_bytes(9.96e9) == "10 GB");
  CHECK(fleet_bytes(999.6e9) == "1.0 TB");
}

TEST_CASE("verdicts: E12 finds 90% of the gain in nats") {
  Results results({"ann", "bob"}, {"E12"});
  json& curve = results.adapter("norm", "ann", How())["curve"];
  const double level[] = {4, 3.2, 3.09, 3, 3.3};  // the lowest is kept
  for (int i = 0; i < 5; ++i)
    curve.push_back({{"step", 10 * i}, {"seconds", 5.0 * i}, {"validation_ppl", std::exp(level[i])}});
  results.adapter("norm", "bob", How())["curve"] = {{{"step", 0}, {"seconds", 0}, {"validation_ppl", 50}},
                                                    {{"step", 10}, {"seconds", 5}, {"validation_ppl", nullptr}}};
  const json e12 = results.judge("E12");
  const json& norm = e12["numbers"]["formats"]["norm"];
  CHECK(e12["holds"] == nullptr);
  CHECK(norm["steps_to_90"] == 20);
  CHECK(norm["seconds_to_90"] == 10);
  CHECK(norm["gained"] == 1);
  CHECK(norm["finished"] == 2);
  CHECK(says(e12, "gaining for 1 of 2 users"));
}

TEST_CASE("verdicts: the tree decides from the experiments") {
  const auto document = [](double own, double other, double lora_own, double lora_other) {
    Results r({"ann", "bob"}, {"E1", "E3", "E4", "E9"});
    for (const char* user : {"ann", "bob"}) {
      const std::string reader = std::string(user) == "ann" ? "bob" : "ann";
      r.base(user, 3.5).run("norm", user, own).run("lora-r4", user, lora_own);
      r.cell(Results::id("norm", user, How()), reader, other);
      r.cell(Results::id("lora-r4", user, How()), reader, lora_other);
      r.run("norm", user, 3.4, {"uniform"}).run("norm", user, 3.4, {"shuffled"});
    }
    return r;
  };
  const json norm = document(3, 3.3, 3.1, 3.3).judge("tree");
  CHECK(norm["holds"] == true);
  CHECK(norm["default"] == "norm");
  CHECK(norm["numbers"]["fleet"]["fleets"]["10,000,000"]["words"] == "90 GB");
  CHECK(says(norm, "1.9 GB for 215,000 users and 90 GB for 10,000,000 users"));

  const json lora = document(3, 3.01, 3.1, 3.3).judge("tree");  // norm-only's gain is anybody's
  CHECK(lora["holds"] == false);
  CHECK(lora["default"] == "lora-r4");
  CHECK(says(lora, "E4 does not hold"));
  const json faster = document(3, 3.3, 2.9, 2.9).judge("tree");  // LoRA's is nobody's own, but lower
  CHECK(faster["default"] == "lora-r4");
  CHECK(says(faster, "beats norm-only for all 2 users"));

  const json cluster = document(3, 3.01, 3.1, 3.11).judge("tree");
  CHECK(cluster["default"] == "cluster");
  CHECK(cluster["numbers"]["fleet"] == nullptr);
  CHECK(says(cluster, "were not run here"));

  const json open = formats({0.1}).judge("tree");
  CHECK(open["holds"] == nullptr);
  CHECK(open["default"] == nullptr);
  CHECK(open["reason"] == "E3 and E4 were not run or not decided");
}

TEST_CASE("verdicts: experiments that were not asked for are absent") {
  const json all = tern::verdicts(formats({0.1}).document);
  CHECK(all.size() == 2);
  CHECK(all.contains("E1"));
  CHECK(all.contains("tree"));
}

TEST_CASE("verdicts: the same document, the same words; an empty one is not an error") {
  const Results results = formats({0.1, -0.05, 0.3});
  CHECK(tern::verdicts(results.document) == tern::verdicts(results.document));
  Results empty({}, {"E1", "E2", "E3", "E4", "E6", "E9", "E12"});
  empty.document["users"] = json::array();
  const json nothing = tern::verdicts(empty.document);
  CHECK(nothing.size() == 8);
  for (const auto& verdict : nothing) {
    CHECK(verdict["holds"] == nullptr);
    CHECK_FALSE(verdict["reason"].get<std::string>().empty());
  }
}

TEST_CASE("verdicts: a broken document is named") {
  json broken = formats({0.1}).document;
  broken["adapters"][0].erase("status");
  CHECK_THROWS_WITH_AS(tern::verdicts(broken), doctest::Contains("results: "), tern::FormatError);
  CHECK_THROWS_WITH_AS(tern::verdicts(broken), doctest::Contains("status"), tern::FormatError);
  Results uneven = formats({0.1});
  uneven.document["cells"][3]["chunks"][0][1] = 11;
  CHECK_THROWS_AS(tern::verdicts(uneven.document), tern::ValueError);
}
