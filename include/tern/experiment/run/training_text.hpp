#pragma once
/// The token ids that a setting trains on.
#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/experiment/setting.hpp"
#include "tern/experiment/users.hpp"
#include "tern/text/content_hash.hpp"

namespace tern {

using TokenPieces = std::vector<std::vector<Token>>;

namespace detail {

inline Index count_tokens(const TokenPieces& pieces) {
  Index n = 0;
  for (const auto& piece : pieces) n += static_cast<Index>(piece.size());
  return n;
}

/// Whole pieces in an order drawn by `seed`, the last one cut, until `most` tokens are there; all in their own order
/// where there are no more.
inline TokenPieces some_tokens(TokenPieces pieces, Index most, std::uint64_t seed) {
  if (most <= 0 || count_tokens(pieces) <= most) return pieces;
  Random random(seed);
  for (std::size_t i = pieces.size(); i > 1; --i)
    std::swap(pieces[i - 1], pieces[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
  TokenPieces taken;
  for (auto& piece : pieces) {
    const Index left = most - count_tokens(taken);
    if (left <= 0) break;
    piece.resize(std::min(piece.size(), static_cast<std::size_t>(left)));
    taken.push_back(std::move(piece));
  }
  return taken;
}

}  // namespace detail

/// Where training text comes from: everybody's own, and the generic texts by name. Borrows both.
struct TrainingSources {
  const std::vector<User>& users;
  const std::map<std::string, TokenPieces>& generic;
  Index vocabulary = 0;
};

/// The pieces that `s` trains on, and in what state: a function of the setting's user, seed, data and tokens alone, so
/// that every contender sees the same. Noise has as many tokens as the user's own text, in pieces as long; generic text
/// has at most as many. Throws ValueError where the setting names what is not there.
inline TokenPieces training_text(const Setting& s, const TrainingSources& from) {
  const auto user = std::find_if(from.users.begin(), from.users.end(), [&](const User& u) { return u.name == s.user; });
  if (user == from.users.end() && (!s.user.empty() || s.data.kind != Data::Kind::generic))
    throw ValueError("setting: user: expected one of the users, got " + in_quotes(s.user));
  const bool nobody = user == from.users.end();
  const std::uint64_t seed =
      content_hash("text/" + std::string(name(s.data.kind)) + "/" + (nobody ? s.data.name : user->split_hash),
                   static_cast<std::uint64_t>(s.seed));
  TokenPieces pieces;
  switch (s.data.kind) {
    case Data::Kind::real:
      return detail::some_tokens(user->train, s.tokens, seed);
    case Data::Kind::uniform: {
      Random random(seed);
      pieces = user->train;
      for (auto& piece : pieces)
        for (Token& t : piece) t = static_cast<Token>(random.below(from.vocabulary));
      return pieces;
    }
    case Data::Kind::shuffled: {
      Random random(seed);
      pieces = user->train;
      std::vector<Token*> all;
      for (auto& piece : pieces)
        for (Token& t : piece) all.push_back(&t);
      for (std::size_t i = all.size(); i > 1; --i)
        std::swap(*all[i - 1], *all[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
      return pieces;
    }
    case Data::Kind::generic: {
      const auto text = from.generic.find(s.data.name);
      if (text == from.generic.end())
        throw ValueError("setting: data: expected a generic text that is there, got " + in_quotes(s.data.name));
      return detail::some_tokens(text->second, nobody ? 0 : detail::count_tokens(user->train), seed);
    }
    case Data::Kind::others:
      for (const User& other : from.users)
        if (other.name != s.user && other.language == user->language)
          pieces.insert(pieces.end(), other.train.begin(), other.train.end());
      if (pieces.empty()) throw ValueError("setting: data: expected others who write " + user->language + ", got none");
      return pieces;
  }
  return pieces;
}

}  // namespace tern
