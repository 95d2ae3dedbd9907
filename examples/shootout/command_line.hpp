#pragma once
/// The whole of tern-shootout's command line, for a program with contenders of its own:
///   int main(int argc, char** argv) { return program::shootout(argc, argv, my_table); }
#include <vector>

#include "tern/experiment/contender.hpp"

namespace program {

/// Runs a command. Returns the exit code: 0 done, 1 failed or interrupted, 2 wrong usage.
int shootout(int argc, char** argv, const std::vector<tern::Contender>& table);

}  // namespace program
