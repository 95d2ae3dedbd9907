#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tern/core/pass.hpp"
#include "tern/core/state_matrix.hpp"
#include "tern/experiment/contender.hpp"
#include "tern/experiment/results.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

/// Which design a run follows.
enum class Protocol {
  standard,   ///< rates from pilots, calibrated budgets
  catalogue,  ///< that of the 30M catalogue: Adam at 5e-5 for every contender, 100 steps, nothing tuned
};

constexpr std::string_view name(Protocol protocol) {
  constexpr std::string_view names[] = {"standard", "catalogue"};
  return names[static_cast<std::size_t>(protocol)];
}

/// What a shootout compares, and how. Field names stand in error messages; a program maps its flags to them.
struct ShootoutOptions {
  std::vector<std::string> contenders = {"norm", "lora-r4", "matched", "full"};
  Roles roles = {"norm", {"lora-r4", "matched", "full"}, "lora-r4"};  ///< of those, who runs
  std::vector<std::string> experiments = {"E1", "E2", "E3",  "E4",  "E5",  "E6", "E7",
                                          "E8", "E9", "E10", "E11", "E12", "E13"};
  std::vector<std::string> controls = {"generic", "uniform", "shuffled", "others"};  ///< that E3 trains on
  Protocol protocol = Protocol::standard;
  Budget budget = Budget::of_seconds(300);  ///< of training one adapter; seconds are turned into steps by calibration
  Index seeds = 1;
  Index context = 256;
  Index eval_tokens = 8192;       ///< scored of each user's held-out text
  Index validation_tokens = 1024; ///< scored of each user's validation text: for curves and pilots
  Index pilots = 3;               ///< users who are piloted
  Index most_rates = 8;           ///< of a contender's grid
  Index sweep_users = 0;          ///< users of E12 and E13; 0: all
  Index seed_users = 0;           ///< users of E2's further seeds; 0: all
  double margin = 0.05;           ///< of perplexity, within which two are equivalent
  Precision precision = Precision::mixed;                       ///< of products with weights
  GradientRounding gradients = GradientRounding::nearest;       ///< back through packed weights of 8 bits and fewer
  StateType state = StateType::full;                            ///< of a full fine-tune: its gradients and moments
  std::optional<WeightFormat> weights{};                        ///< of the base; none: each tensor as it is stored
  /// Bytes that a full fine-tune may fill; one that needs more is refused with the figure.
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();
  bool early_stopping = false;    ///< keep the best validation's parameters instead of the last ones
  Index threads = 2;
  std::string commit = "unknown";  ///< of the program that runs

  bool wants(std::string_view experiment) const {
    return std::find(experiments.begin(), experiments.end(), experiment) != experiments.end();
  }
  bool runs(std::string_view contender) const {
    return std::find(contenders.begin(), contenders.end(), contender) != contenders.end();
  }
};

}  // namespace tern
