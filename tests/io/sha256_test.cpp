#include "tern/io/sha256.hpp"

#include <doctest/doctest.h>

using namespace tern;

TEST_CASE("Sha256: the examples of FIPS 180-4") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(bytes_of(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("Sha256: pieces of any size give what the whole gives, and a digest may be taken on the way") {
  const std::string text(200, 'x');
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 sum;
    sum.update(std::string_view(text).substr(0, cut));
    CHECK(sum.hex() == sha256_hex(bytes_of(std::string_view(text).substr(0, cut))));
    CHECK(sum.update(std::string_view(text).substr(cut)).hex() == sha256_hex(bytes_of(text)));
  }
}
