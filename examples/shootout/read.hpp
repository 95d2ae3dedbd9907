#pragma once
/// tern-shootout read: what becomes of people's files, before anything is trained on them.
#include <string>
#include <vector>

#include "tern/experiment/users.hpp"

namespace program {

struct ReadOptions {
  std::vector<tern::Population> people;
  std::string user;  ///< only this one
  bool text = false, json = false;
  tern::PopulationOptions reading;
  const tern::Tokenizer* tokenizer = nullptr;  ///< counts tokens where there is one
};

/// Prints to stdout. Returns 0, or 1 where nobody could be read.
int read_people(const ReadOptions& options);

}  // namespace program
