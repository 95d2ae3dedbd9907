#pragma once
/// What figures were taken with, and on.
#include <fstream>
#include <string>

namespace tern::benchmark {

inline std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

/// As Linux names it, and the core behind an AMD server's name: "AMD EPYC, family 25, model 17 (Zen 4)".
inline std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, model_name = "unknown";
  int family = 0, model = 0;
  while (std::getline(file, line) && !line.empty()) {  // the first processor's
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find('\t')), value = line.substr(colon + 2);
    if (key == "model name") model_name = value;
    if (key == "cpu family") family = std::stoi(value);
    if (key == "model") model = std::stoi(value);
  }
  std::string text = model_name + ", family " + std::to_string(family) + ", model " + std::to_string(model);
  if (!model_name.starts_with("AMD")) return text;
  if (family == 26) text += " (Zen 5)";
  if (family == 25) {  // Zen 3 and Zen 4 share it
    const bool zen4 = (model >= 0x10 && model < 0x20) || (model >= 0x60 && model < 0x80) || model >= 0xa0;
    text += zen4 ? " (Zen 4)" : " (Zen 3)";
  }
  return text;
}

}  // namespace tern::benchmark
