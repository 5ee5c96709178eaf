#include "rng/word_list.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/vector_targets.hpp"

namespace trialwright::rng {
namespace {

constexpr Address k_list{key_from_seed(20261123), Purpose::arrival, 17, 0};

TEST(WordList, PlacesAreTheWordsTheyAreAddressedBy) {
  for (const std::size_t n : {0, 1, 16, 63, 64, 65, 300}) {
    test::for_each_target([&] {
      std::vector<std::uint32_t> words(n + 1, 7);
      fill_list(k_list, 3, {words.data(), n});
      for (std::uint32_t place = 0; place < n; ++place) {
        Stream stream({k_list.key, k_list.purpose, k_list.trial, place / 64 * 16 + place % 16});
        ASSERT_EQ(words[place], stream.word(4 * 3 + place % 64 / 16));
        ASSERT_EQ(words[place], word_of_list(k_list, 3, place));
      }
      EXPECT_EQ(words[n], 7u);
    });
  }
}

TEST(WordList, NoTwoPlacesShareAWord) {
  std::vector<std::uint32_t> words(1000);
  fill_list(k_list, 0, words);
  EXPECT_EQ(std::set<std::uint32_t>(words.begin(), words.end()).size(), 1000u);
}

}  // namespace
}  // namespace trialwright::rng
