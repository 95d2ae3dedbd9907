#pragma once
#include <cstdint>

#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// What is read next of packed weights. Strips of 16 rows hold it far apart, where no hardware looks for it, so it is
/// fetched into the second cache, a part at each of some calls before.
class StripsAhead {
 public:
  StripsAhead() = default;  ///< nothing
  /// `bytes` of each strip, the first from `from` on, the others `apart` bytes behind each other.
  StripsAhead(const std::uint8_t* from, Index bytes, Index apart, Index strips, Index calls)
      : from_(from), bytes_(bytes), apart_(apart), strips_(strips), lines_(((bytes + 63) / 64 * strips + calls - 1) / calls) {}

  void fetch() {
    for (Index i = 0; i < lines_ && strips_ > 0; ++i) {
      __builtin_prefetch(from_ + at_, 0, 2);
      at_ += 64;
      if (at_ < bytes_) continue;
      at_ = 0;
      from_ += apart_;
      --strips_;
    }
  }

 private:
  const std::uint8_t* from_ = nullptr;
  Index bytes_ = 0, apart_ = 0, strips_ = 0, lines_ = 0, at_ = 0;
};

}  // namespace tern::kernels
