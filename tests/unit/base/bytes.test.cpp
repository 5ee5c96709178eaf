#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace trialwright::base {
namespace {

TEST(Bytes, ReadBackAsWritten) {
  const std::vector<std::uint64_t> numbers{0,          1,          127,        128,  300,
                                           1ULL << 32, 1ULL << 62, 1ULL << 63, ~0ULL};
  const std::vector<double> reals{0.0,
                                  -0.0,
                                  1.0 / 3,
                                  -1e308,
                                  std::numeric_limits<double>::denorm_min(),
                                  std::numeric_limits<double>::infinity()};
  ByteWriter out;
  out.u8(200);
  out.u32(0xDEADBEEF);
  for (const auto number : numbers) {
    out.u64(number);
    out.varint(number);
  }
  for (const auto real : reals) out.real(real);
  out.text("");
  out.text(std::string_view("a\0b", 3));

  ByteReader in(out.bytes());
  EXPECT_EQ(in.u8(), 200);
  EXPECT_EQ(in.u32(), 0xDEADBEEFu);
  for (const auto number : numbers) {
    EXPECT_EQ(in.u64(), number);
    EXPECT_EQ(in.varint(), number);
  }
  for (const auto real : reals) {
    const double read = in.real();
    EXPECT_EQ(read, real);
    EXPECT_EQ(std::signbit(read), std::signbit(real));
  }
  EXPECT_EQ(in.text(), "");
  EXPECT_EQ(in.text(), std::string_view("a\0b", 3));
  EXPECT_TRUE(in.is_at_end());
}

TEST(Bytes, LieTheSameOnEveryMachine) {
  ByteWriter out;
  out.u32(0x04030201);
  out.varint(300);
  out.real(1.0);
  EXPECT_EQ(out.bytes(), std::string("\x01\x02\x03\x04\xAC\x02\0\0\0\0\0\0\xF0\x3F", 14));
}

TEST(Bytes, ThatEndEarlyOrMeanNothingAreToldSo) {
  EXPECT_THROW(ByteReader("").u8(), BadBytes);
  EXPECT_THROW(ByteReader("abc").u32(), BadBytes);
  EXPECT_THROW(ByteReader("abcdefg").u64(), BadBytes);
  EXPECT_THROW(ByteReader("abcdefg").real(), BadBytes);
  EXPECT_THROW(ByteReader("\x80").varint(), BadBytes);
  EXPECT_THROW(ByteReader(std::string_view("\x80\x00", 2)).varint(), BadBytes);
  EXPECT_THROW(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").varint(), BadBytes);
  EXPECT_THROW(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01").varint(), BadBytes);
  EXPECT_THROW(ByteReader("\x04"
                          "abc")
                   .text(),
               BadBytes);
  // 2^64 - 1 things, and one more than there is room for.
  EXPECT_THROW(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                          "abc")
                   .count(8),
               BadBytes);
  EXPECT_THROW(ByteReader("\x02"
                          "0123456")
                   .count(4),
               BadBytes);
  EXPECT_EQ(ByteReader("\x02"
                       "01234567")
                .count(4),
            2u);
}

// RFC 3720, appendix B.4; the check value of "123456789" is from the catalogue of parametrised CRC
// algorithms (CRC-32/ISCSI).
TEST(Crc32c, HasTheValuesOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) {
    ascending.push_back(static_cast<char>(i));
    descending.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
  EXPECT_EQ(crc32c(descending), 0x113FDB5Cu);
  const std::string scsi_read(
      "\x01\xC0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18"
      "\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",
      48);
  EXPECT_EQ(crc32c(scsi_read), 0xD9963A56u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, GoesOnFromItsSeed) {
  const std::string text = "the sums over one contiguous range of whole blocks";
  for (std::size_t n = 0; n <= text.size(); ++n)
    EXPECT_EQ(crc32c(text.substr(n), crc32c(text.substr(0, n))), crc32c(text)) << n;
}

}  // namespace
}  // namespace trialwright::base
