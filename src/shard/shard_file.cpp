#include "shard/shard_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/bytes.hpp"
#include "base/durable_file.hpp"
#include "trialwright/error.hpp"

// The format, numbers little-endian: the magic, the format's version (u32), then records. A record is
// its head (type u8, length of the payload u64, CRC of these and of the record's place in the file
// u32), the payload, and the CRC of both (u32). First comes the header's record, then any of the
// others. Bound to their place, no bytes of elsewhere pass for records.
namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using base::BadBytes;
using base::ByteReader;
using base::ByteWriter;

constexpr std::string_view k_magic = "trialwright shard\n";
constexpr std::uint32_t k_format_version = 3;
constexpr std::uint64_t k_preamble_bytes = k_magic.size() + sizeof(std::uint32_t);
constexpr std::uint64_t k_head_bytes = 1 + sizeof(std::uint64_t) + sizeof(std::uint32_t);
constexpr std::uint64_t k_crc_bytes = sizeof(std::uint32_t);
// Payloads are ended when they have grown to this, so that damage costs little and memory is bounded.
constexpr std::size_t k_payload_bytes = 256 * 1024;

enum class RecordType : std::uint8_t { header = 1, pieces, values, progress, end };

std::uint32_t head_crc(RecordType type, std::uint64_t length, std::uint64_t offset) {
  ByteWriter head;
  head.u8(static_cast<std::uint8_t>(type));
  head.u64(length);
  head.u64(offset);
  return base::crc32c(head.bytes());
}

std::string preamble() {
  ByteWriter out;
  for (const char c : k_magic) out.u8(static_cast<std::uint8_t>(c));
  out.u32(k_format_version);
  return out.take();
}

// The record that stands at `offset` of its file.
std::string record(RecordType type, std::string_view payload, std::uint64_t offset) {
  const std::uint32_t crc = head_crc(type, payload.size(), offset);
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(type));
  out.u64(payload.size());
  out.u32(crc);
  std::string bytes = out.take();
  bytes.append(payload);
  ByteWriter tail;
  tail.u32(base::crc32c(payload, crc));
  return bytes + tail.bytes();
}

void write(const Header& header, ByteWriter& out) {
  out.text(header.study);
  out.u64(header.study_hash);
  out.u64(header.seed);
  out.text(header.version);
  out.text(header.resolved_yaml);
  out.u32(header.shard.i);
  out.u32(header.shard.n);
  out.varint(header.n_trials);
  out.varint(header.n_points);
}

Header read_header(ByteReader& in) {
  Header header;
  header.study = in.text();
  header.study_hash = in.u64();
  header.seed = in.u64();
  header.version = in.text();
  header.resolved_yaml = in.text();
  header.shard.i = in.u32();
  header.shard.n = in.u32();
  header.n_trials = in.varint();
  header.n_points = in.varint();
  if (header.shard.i < 1 || header.shard.i > header.shard.n) throw BadBytes("no such shard");
  return header;
}

void write(const Progress& progress, ByteWriter& out) {
  out.real(progress.seconds);
  out.varint(progress.n_trials);
  out.varint(progress.n_done);
  out.varint(progress.n_to_do);
  out.varint(progress.i_round);
}

Progress read_progress(ByteReader& in) {
  Progress progress;
  progress.seconds = in.real();
  progress.n_trials = in.varint();
  progress.n_done = in.varint();
  progress.n_to_do = in.varint();
  progress.i_round = in.varint();
  return progress;
}

// Hands records, one after the other, to `take(bytes)`, the first of them to stand at `offset`.
template <class Take>
class RecordWriter {
 public:
  RecordWriter(std::uint64_t offset, Take take) : offset_(offset), take_(std::move(take)) {}

  template <class T>
  void one(RecordType type, const T& thing) {
    ByteWriter payload;
    write(thing, payload);
    put(type, payload.bytes());
  }
  // In records of about k_payload_bytes.
  template <class T>
  void several(RecordType type, const std::vector<T>& things) {
    ByteWriter payload;
    for (const T& thing : things) {
      write(thing, payload);
      if (payload.bytes().size() >= k_payload_bytes) put(type, payload.take()), payload = {};
    }
    if (!payload.bytes().empty()) put(type, payload.bytes());
  }
  void end() { put(RecordType::end, ""); }

 private:
  void put(RecordType type, std::string_view payload) {
    const std::string bytes = record(type, payload, offset_);
    take_(bytes);
    offset_ += bytes.size();
  }

  std::uint64_t offset_;
  Take take_;
};

// Goes through a file's records.
class RecordReader {
 public:
  explicit RecordReader(const fs::path& file) : file_(file) {}

  std::uint64_t length() const { return file_.length(); }
  // Where the record that next() found begins.
  std::uint64_t offset() const { return offset_; }
  bool is_at_end() const { return next_ == file_.length(); }
  RecordType type() const { return type_; }

  void start_at(std::uint64_t offset) { next_ = offset; }
  // To the next record; throws BadBytes where none begins here, or it ends beyond the file.
  void next() {
    offset_ = next_;
    const std::string bytes = file_.read(offset_, k_head_bytes);
    ByteReader head(bytes);
    type_ = static_cast<RecordType>(head.u8());
    payload_length_ = head.u64();
    crc_ = head.u32();
    if (crc_ != head_crc(type_, payload_length_, offset_)) throw BadBytes("no record begins here");
    const std::uint64_t rest = length() - offset_ - k_head_bytes;
    if (rest < k_crc_bytes || payload_length_ > rest - k_crc_bytes)
      throw BadBytes("a record that ends beyond the file");
    next_ = offset_ + k_head_bytes + payload_length_ + k_crc_bytes;
  }
  // Of the record found; throws BadBytes where it is damaged.
  std::string payload() const {
    std::string bytes = file_.read(offset_ + k_head_bytes, payload_length_ + k_crc_bytes);
    if (bytes.size() != payload_length_ + k_crc_bytes) throw BadBytes("a file that was cut");
    ByteReader tail(std::string_view(bytes).substr(payload_length_));
    const std::uint32_t crc = tail.u32();
    bytes.resize(payload_length_);
    if (crc != base::crc32c(bytes, crc_)) throw BadBytes("a damaged record");
    return bytes;
  }
  std::string preamble() const { return file_.read(0, k_preamble_bytes); }

 private:
  base::ReadFile file_;
  std::uint64_t offset_ = 0;
  std::uint64_t next_ = 0;
  RecordType type_{};
  std::uint64_t payload_length_ = 0;
  std::uint32_t crc_ = 0;
};

enum class Depth { all, progress_alone };

// Is there a whole preamble? Throws io_error where it is of another kind of file or another format.
bool has_preamble(const fs::path& file, std::string_view bytes) {
  const auto is_zero = [](char c) { return c == '\0'; };
  // What a file has that was made but not filled when the power went.
  const bool is_blank = std::all_of(bytes.begin(), bytes.end(), is_zero);
  const std::size_t n = std::min(bytes.size(), k_magic.size());
  if (!is_blank && bytes.substr(0, n) != k_magic.substr(0, n))
    throw io_error(fmt::format(
        "{}: is no shard file of this program; move it away, and go on without it", file.string()));
  if (is_blank || bytes.size() < k_preamble_bytes) return false;
  const std::uint32_t version = ByteReader(bytes.substr(k_magic.size())).u32();
  if (version != k_format_version)
    throw io_error(fmt::format(
        "{}: is a shard file of format {}, and this program reads format {}; use the version "
        "of the program that wrote it, or move the file away and do its work again",
        file.string(), version, k_format_version));
  return true;
}

template <class T, class Read>
void append_all(std::vector<T>& things, std::uint64_t n_points, std::string_view payload, Read read) {
  std::vector<T> found;
  for (ByteReader in(payload); !in.is_at_end();) {
    found.push_back(read(in));
    if (found.back().i_point >= n_points) throw BadBytes("no such point");
  }
  std::move(found.begin(), found.end(), std::back_inserter(things));
}

// Takes in the record that `in` is at.
void take_record(const RecordReader& in, Depth depth, Content& content) {
  const std::uint64_t n_points = content.header.n_points;
  switch (in.type()) {
    case RecordType::pieces:
      if (depth == Depth::all) append_all(content.pieces, n_points, in.payload(), engine::read_piece);
      return;
    case RecordType::values:
      if (depth == Depth::all)
        append_all(content.values, n_points, in.payload(), engine::read_point_values);
      return;
    case RecordType::progress: {
      const std::string payload = in.payload();
      ByteReader bytes(payload);
      content.progress = read_progress(bytes);
      return;
    }
    case RecordType::end:
      if (!in.payload().empty()) throw BadBytes("an end that goes on");
      content.is_whole = true;
      return;
    case RecordType::header:
      break;
  }
  throw BadBytes("a record of no known type");
}

Content read(const fs::path& file, Depth depth) {
  RecordReader in(file);
  Content content;
  content.length = in.length();
  if (!has_preamble(file, in.preamble())) {
    content.torn_at = 0;
    return content;
  }
  in.start_at(k_preamble_bytes);
  try {
    in.next();
    if (in.type() != RecordType::header) throw BadBytes("no header");
    const std::string payload = in.payload();
    ByteReader bytes(payload);
    content.header = read_header(bytes);
  } catch (const BadBytes&) {
    content.torn_at = 0;
    return content;
  }
  try {
    while (!in.is_at_end()) {
      in.next();
      if (content.is_whole) throw BadBytes("more after the end");
      take_record(in, depth, content);
    }
  } catch (const BadBytes&) {
    content.torn_at = in.offset();
  }
  return content;
}

fs::path free_name_beside(const fs::path& file) {
  for (int k = 1;; ++k) {
    fs::path name = file;
    name += fmt::format(".torn-{}", k);
    std::error_code error;
    if (!fs::exists(fs::symlink_status(name, error))) return name;
  }
}

}  // namespace

fs::path shards_directory(const fs::path& results_directory) {
  return results_directory / "shards";
}

std::string whole_name(const ShardId& shard) {
  return fmt::format("{}-of-{}.shard", shard.i, shard.n);
}

std::string journal_name(const ShardId& shard) {
  return fmt::format("{}-of-{}.journal", shard.i, shard.n);
}

Content read_shard_file(const fs::path& file) {
  return read(file, Depth::all);
}

Content read_shard_progress(const fs::path& file) {
  return read(file, Depth::progress_alone);
}

std::vector<fs::path> shard_files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& name = entries->path();
    std::error_code gone;
    if ((name.extension() == ".shard" || name.extension() == ".journal") &&
        fs::is_regular_file(name, gone))
      files.push_back(name);
  }
  if (error) base::fail_io(directory, "cannot be read", error.value());
  std::sort(files.begin(), files.end());
  return files;
}

void write_shard_file(const fs::path& file, const Content& content) {
  base::FileBeside beside(file);
  beside.append(preamble());
  RecordWriter out(k_preamble_bytes, [&](std::string_view bytes) { beside.append(bytes); });
  out.one(RecordType::header, content.header);
  out.several(RecordType::values, content.values);
  out.several(RecordType::pieces, content.pieces);
  if (content.progress) out.one(RecordType::progress, *content.progress);
  out.end();
  beside.put_in_place();
}

std::optional<fs::path> set_tail_aside(const fs::path& file, std::uint64_t from) {
  constexpr std::uint64_t k_portion = 1 << 20;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const base::ReadFile in(file);
  if (in.length() <= from) return std::nullopt;
  const fs::path aside = free_name_beside(file);
  base::FileBeside out(aside);
  for (std::uint64_t offset = from; offset < in.length(); offset += k_portion)
    out.append(in.read(offset, k_portion));
  out.put_in_place();
  base::AppendFile(file, from).sync();
  return aside;
}

class Journal::Impl {
  // First, since its type must be known to those that call it.
  auto writer() {
    return RecordWriter(file_.length(), [this](std::string_view bytes) { file_.append(bytes); });
  }

 public:
  Impl(const fs::path& path, const Header& header, std::uint64_t length)
      : file_(without_tail(path, length)) {
    if (file_.length() > 0) return;
    save([&] {
      file_.append(preamble());
      writer().one(RecordType::header, header);
    });
  }

  void append(const std::vector<engine::Piece>& pieces, const std::vector<engine::PointValues>& values,
              const Progress& progress) {
    save([&] {
      auto out = writer();
      // A point's values before its pieces: so they are there wherever a batch is cut.
      out.several(RecordType::values, values);
      out.several(RecordType::pieces, pieces);
      out.one(RecordType::progress, progress);
    });
  }

 private:
  static base::AppendFile without_tail(const fs::path& path, std::uint64_t length) {
    set_tail_aside(path, length);
    return {path, length};
  }
  // All that `deed` appends is on the disk when this returns, and nothing of it stays where it throws.
  template <class Deed>
  void save(Deed deed) {
    const std::uint64_t before = file_.length();
    try {
      deed();
      file_.sync();
    } catch (...) {
      file_.cut(before);
      throw;
    }
  }

  base::AppendFile file_;
};

Journal::Journal(const fs::path& file, const Header& header, std::optional<std::uint64_t> length)
    : impl_(std::make_unique<Impl>(file, header, length.value_or(0))) {}

Journal::~Journal() = default;

void Journal::append(const std::vector<engine::Piece>& pieces,
                     const std::vector<engine::PointValues>& values, const Progress& progress) {
  impl_->append(pieces, values, progress);
}

}  // namespace trialwright::shard
