#pragma once
/// How a run shows on a terminal how far it is, and what it found.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

namespace program {

inline std::string duration(double seconds) {
  char text[32];
  const long s = std::lround(seconds);
  if (s < 60)
    std::snprintf(text, sizeof text, "%lds", s);
  else if (s < 3600)
    std::snprintf(text, sizeof text, "%ldm%02lds", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ldh%02ldm", s / 3600, s / 60 % 60);
  return text;
}

/// One line on stderr, rewritten in place on a terminal. `of` 0: nobody knows yet how much there is.
inline void show_progress(std::size_t done, std::size_t of, double left, const std::string& next) {
  static const bool terminal = ::isatty(2) != 0;
  std::string line = next;
  if (of > 0) {
    const std::size_t width = 24, filled = done * width / of;
    line = "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " + std::to_string(done) + "/" +
           std::to_string(of) + (next.empty() ? "  done" : "  " + duration(left) + " left  " + next);
  }
  if (terminal)
    std::cerr << "\r\033[K" << line << (next.empty() ? "\n" : "") << std::flush;
  else
    std::cerr << line << std::endl;
}

/// Words on stdout in lines of at most 100 characters, `indent` before each.
inline void print_wrapped(const std::string& text, const std::string& indent) {
  std::istringstream words(text);
  std::size_t width = 0;
  for (std::string word; words >> word;) {
    const auto length = static_cast<std::size_t>(
        std::count_if(word.begin(), word.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
    const bool begins = width == 0 || width + 1 + length > 100;
    if (begins && width > 0) std::cout << '\n';
    std::cout << (begins ? indent : " ") << word;
    width = (begins ? indent.size() : width + 1) + length;
  }
  if (width > 0) std::cout << '\n';
}

}  // namespace program
