#pragma once
/// Identifiers that carry their own proof: payment cards, bank accounts and IP addresses.
#include <arpa/inet.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/lines.hpp"

namespace tern::detail {

/// Luhn's check (ISO/IEC 7812-1): every second digit from the right doubled, the sum of all digits divides by ten.
inline bool passes_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int weighed = i % 2 == 1 ? 2 * digit : digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 == 0;
}

/// Whether `digits` has the length and the first digits of a card network, and passes Luhn's check.
inline bool is_card(std::string_view digits) {
  struct Network {
    int first, last;           // of the leading four digits
    std::string_view lengths;  // 'd' is 13 digits, 'j' is 19
  };
  constexpr std::array<Network, 9> networks = {{{4000, 4999, "dgj"},        // Visa
                                                {5100, 5599, "g"},          // Mastercard
                                                {2221, 2720, "g"},          // Mastercard
                                                {3400, 3499, "f"},          // American Express
                                                {3700, 3799, "f"},          // American Express
                                                {3000, 3099, "efg"},        // Diners
                                                {3600, 3899, "efg"},        // Diners
                                                {3528, 3589, "ghij"},       // JCB
                                                {5000, 6999, "defghij"}}};  // Maestro, Discover, UnionPay, RuPay
  if (digits.size() < 13 || digits.size() > 19) return false;
  int leading = 0;
  for (char c : digits.substr(0, 4)) leading = 10 * leading + (c - '0');
  const char length = static_cast<char>('d' + static_cast<int>(digits.size()) - 13);
  for (const Network& network : networks)
    if (leading >= network.first && leading <= network.last)
      return network.lengths.find(length) != std::string_view::npos && passes_luhn(digits);
  return false;
}

/// Characters of an account number in `country`, two capitals; 0 if it has no IBAN (ISO 13616 registry).
inline std::size_t iban_length(std::string_view country) {
  constexpr std::string_view table =
      "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
      "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
      "NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";
  for (std::size_t i = 0; i < table.size(); i += 4)
    if (table.substr(i, 2) == country)
      return static_cast<std::size_t>(10 * (table[i + 2] - '0') + (table[i + 3] - '0'));
  return 0;
}

/// ISO 13616: with the first four characters moved to the end and letters as 10 to 35, the number is 1 modulo 97.
/// `characters` holds capitals and digits alone.
inline bool is_iban(std::string_view characters) {
  if (characters.size() < 5 || characters.size() != iban_length(characters.substr(0, 2))) return false;
  const std::string turned = std::string(characters.substr(4)) + std::string(characters.substr(0, 4));
  int remainder = 0;
  for (char c : turned)
    remainder = is_digit(c) ? (10 * remainder + (c - '0')) % 97 : (100 * remainder + (c - 'A' + 10)) % 97;
  return remainder == 1;
}

inline bool is_ipv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace tern::detail
