// What is done of a point: the sums over one range of its trials, in a form whose merging order is
// free.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "engine/accumulator.hpp"

namespace trialwright::engine {

// A point's trials are cut into blocks. Of a point drawn as counts the calendars of its first trials
// are a second track of blocks, made apart from the counts.
enum class Track : std::uint8_t { trials, calendars };

// Trials from … to - 1.
struct TrialRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t size() const { return to - from; }
  bool empty() const { return from >= to; }
  friend bool operator==(const TrialRange&, const TrialRange&) = default;
};

// How often each counter of a TableLayout was counted: those that are not 0, packed (about 3 bytes
// each).
class SparseCounts {
 public:
  SparseCounts() = default;
  explicit SparseCounts(std::span<const std::uint64_t> dense);

  bool empty() const { return bytes_.empty(); }
  // Adds every count to its counter; false, with nothing added, where one has no counter.
  bool add_to(std::span<std::uint64_t> dense) const;
  // Adds those of `other`, of the same layout.
  void merge(const SparseCounts& other);

  const std::string& bytes() const { return bytes_; }
  // Throws base::BadBytes where they are no such bytes.
  static SparseCounts from_bytes(std::string bytes);

 private:
  std::string bytes_;  // varints: (counter - the counter before it, count) ...
};

// Rows of a piece's trials in a file of rows: bytes from … to - 1.
struct RowSegment {
  std::string file;  // a name, beside the file that the piece is saved in
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  friend bool operator==(const RowSegment&, const RowSegment&) = default;
};
// One a kind of rows.
enum class RowKind : std::uint8_t { trials, patients };
inline constexpr std::size_t k_row_kinds = 2;

struct Piece {
  std::size_t i_point = 0;  // into Study::points()
  Track track = Track::trials;
  // Whole blocks, or the track's last block where the number of trials asked for cuts it short.
  TrialRange range;
  PointAccumulator sum;  // without what is tabulated
  SparseCounts cells;    // what is
  std::array<std::vector<RowSegment>, k_row_kinds> rows;

  // Takes in its neighbour, before or after it, in the same track.
  void merge(Piece&& neighbour);
};

void write(const Piece& piece, base::ByteWriter& out);
// Throws base::BadBytes.
Piece read_piece(base::ByteReader& in);

}  // namespace trialwright::engine
