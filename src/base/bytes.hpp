// Numbers and texts as bytes and back: little-endian, of lengths that do not depend on the machine.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace trialwright::base {

// Appends to a string of bytes.
class ByteWriter {
 public:
  void u8(std::uint8_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  // A base-128 varint (7 bits a byte, the lowest first): short for small numbers.
  void varint(std::uint64_t value);
  // The bits of an IEEE 754 double.
  void real(double value);
  // A varint of the length, then the characters.
  void text(std::string_view value);

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Thrown by ByteReader where the bytes end too early or mean nothing.
class BadBytes : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads what ByteWriter wrote. `bytes` must outlive the reader. Every call throws BadBytes rather than
// read beyond the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t varint();
  double real();
  std::string_view text();
  // A varint that counts things of at least `bytes_each` bytes which are still to be read: BadBytes
  // where there is no room for so many, so that no damaged length makes a huge allocation.
  std::size_t count(std::size_t bytes_each);

  bool is_at_end() const { return rest_.empty(); }
  std::size_t n_left() const { return rest_.size(); }

 private:
  std::string_view take(std::size_t n);

  std::string_view rest_;
};

// CRC-32C (Castagnoli 1993; RFC 3720, appendix B.4 has test vectors), by tables. With what came of the
// bytes before as `seed`, that of both together.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace trialwright::base
