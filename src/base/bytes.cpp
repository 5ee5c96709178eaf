#include "base/bytes.hpp"

#include <array>
#include <bit>

namespace trialwright::base {
namespace {

constexpr std::size_t k_slices = 8;
using CrcTables = std::array<std::array<std::uint32_t, 256>, k_slices>;

// tables[0] is the byte-wise table of the reflected polynomial; tables[k][b] is the effect of byte b
// with k zero bytes after it (Kounavis & Berry 2008, "slicing by 8").
constexpr CrcTables crc_tables() {
  constexpr std::uint32_t k_polynomial = 0x82F63B78;
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? k_polynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < k_slices; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  return tables;
}

constexpr CrcTables k_crc_tables = crc_tables();

template <class T>
void append_little_endian(std::string& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

template <class T>
T from_little_endian(std::string_view bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  return value;
}

}  // namespace

void ByteWriter::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::u32(std::uint32_t value) {
  append_little_endian(bytes_, value);
}

void ByteWriter::u64(std::uint64_t value) {
  append_little_endian(bytes_, value);
}

void ByteWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) u8(static_cast<std::uint8_t>(value | 0x80));
  u8(static_cast<std::uint8_t>(value));
}

void ByteWriter::real(double value) {
  u64(std::bit_cast<std::uint64_t>(value));
}

void ByteWriter::text(std::string_view value) {
  varint(value.size());
  bytes_.append(value);
}

std::string_view ByteReader::take(std::size_t n) {
  if (n > rest_.size()) throw BadBytes("the bytes end too early");
  const std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return taken;
}

std::uint8_t ByteReader::u8() {
  return static_cast<std::uint8_t>(take(1)[0]);
}

std::uint32_t ByteReader::u32() {
  return from_little_endian<std::uint32_t>(take(4));
}

std::uint64_t ByteReader::u64() {
  return from_little_endian<std::uint64_t>(take(8));
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    const std::uint64_t digits = byte & 0x7F;
    if (shift == 63 && digits > 1) break;
    value |= digits << shift;
    if ((byte & 0x80) == 0) {
      // One number has one form, so that equal contents are equal bytes.
      if (byte == 0 && shift > 0) throw BadBytes("a number with zeros before it");
      return value;
    }
  }
  throw BadBytes("a number of more than 64 bits");
}

double ByteReader::real() {
  return std::bit_cast<double>(u64());
}

std::string_view ByteReader::text() {
  return take(count(1));
}

std::size_t ByteReader::count(std::size_t bytes_each) {
  const std::uint64_t n = varint();
  if (n > rest_.size() / bytes_each) throw BadBytes("a count of more than there are bytes");
  return static_cast<std::size_t>(n);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  const auto& tables = k_crc_tables;
  std::uint32_t crc = ~seed;
  for (; bytes.size() >= k_slices; bytes.remove_prefix(k_slices)) {
    const std::uint32_t low = crc ^ from_little_endian<std::uint32_t>(bytes.substr(0, 4));
    const std::uint32_t high = from_little_endian<std::uint32_t>(bytes.substr(4, 4));
    crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
          tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^
          tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
  }
  for (const char c : bytes) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

}  // namespace trialwright::base
