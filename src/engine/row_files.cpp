#include "engine/row_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "base/durable_file.hpp"
#include "engine/gzip.hpp"
#include "engine/row_layout.hpp"
#include "trialwright/error.hpp"

namespace trialwright::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_buffer_bytes = std::size_t{4} << 20;

// A part that is open for reading.
class Part {
 public:
  explicit Part(fs::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) base::fail_io(path_, "rows that the results need cannot be read", errno);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() { ::close(descriptor_); }

  const fs::path& path() const { return path_; }

  void copy(std::uint64_t from, std::uint64_t to, std::vector<char>& buffer,
            base::FileBeside& out) const {
    while (from < to) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - from));
      const ssize_t n = ::pread(descriptor_, buffer.data(), wanted, static_cast<off_t>(from));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) base::fail_io(path_, "cannot be read", errno);
      if (n == 0)
        throw io_error(
            fmt::format("{}: ends at byte {}, and rows up to byte {} should be there (the "
                        "file was cut, or copied while it grew)",
                        path_.string(), from, to));
      out.append({buffer.data(), static_cast<std::size_t>(n)});
      from += static_cast<std::uint64_t>(n);
    }
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
};

void copy_rows(const std::vector<RowSegment>& segments, base::FileBeside& out) {
  std::vector<char> buffer(k_buffer_bytes);
  std::optional<Part> part;
  for (const auto& segment : segments) {
    if (!part || part->path() != segment.file) part.emplace(segment.file);
    part->copy(segment.from, segment.to, buffer, out);
  }
}

void write_row_file(const scenario::Study& study, RowKind kind, const std::vector<RowSegment>& segments,
                    const fs::path& file) {
  base::FileBeside out(file);
  const std::string line = first_line(study, kind);
  if (study.spec().outputs.compression == scenario::Compression::gzip) {
    Gzip gzip;
    out.append(gzip.compress(line));
  } else {
    out.append(line);
  }
  copy_rows(segments, out);
  out.put_in_place();
}

}  // namespace

void add_rows(std::span<const Piece> pieces, std::uint64_t n_trials, const fs::path& directory,
              RowSegments& rows) {
  for (const auto& piece : pieces) {
    if (piece.track != Track::trials || piece.range.from >= n_trials) continue;
    for (std::size_t i = 0; i < k_row_kinds; ++i)
      for (const auto& segment : piece.rows[i])
        rows[i].push_back({(directory / segment.file).string(), segment.from, segment.to});
  }
}

std::optional<std::string> lacking_rows(const Piece& piece, const scenario::OutputsSpec& outputs) {
  if (piece.track != Track::trials || piece.range.empty()) return std::nullopt;
  for (const RowKind kind : {RowKind::trials, RowKind::patients}) {
    if (!asks_for(outputs, kind)) continue;
    const auto& segments = piece.rows[static_cast<std::size_t>(kind)];
    const auto wanted = part_name("", kind, outputs, 1);
    const auto file = row_file_name(kind, outputs, "");
    const bool has_none =
        segments.empty() && (kind == RowKind::trials || piece.range.from < outputs.patients_of_trials);
    if (has_none) return fmt::format("they were simulated without rows for {}", file);
    for (const auto& segment : segments) {
      const auto name = read_part_name(fs::path(segment.file).filename().string());
      if (!name || name->content != wanted.content || name->ending != wanted.ending)
        return fmt::format(
            "they were simulated with other `outputs` ({} is not a part of the {} that is "
            "asked for)",
            segment.file, file);
    }
  }
  return std::nullopt;
}

std::vector<std::string> write_row_files(const scenario::Study& study, const RowSegments& rows,
                                         const fs::path& results_directory, Extent extent) {
  const auto& outputs = study.spec().outputs;
  constexpr std::string_view k_mark = ".partial";
  std::vector<std::string> names;
  for (const RowKind kind : {RowKind::trials, RowKind::patients}) {
    if (!asks_for(outputs, kind)) continue;
    const auto name = row_file_name(kind, outputs, extent == Extent::partial ? k_mark : "");
    write_row_file(study, kind, rows[static_cast<std::size_t>(kind)], results_directory / name);
    names.push_back(name);
    if (extent == Extent::partial) continue;
    // Those that these take the place of: rows of fewer trials, or compressed otherwise.
    std::error_code error;
    fs::remove(results_directory / row_file_name(kind, outputs, k_mark), error);
    scenario::OutputsSpec other = outputs;
    other.compression = outputs.compression == scenario::Compression::none
                            ? scenario::Compression::gzip
                            : scenario::Compression::none;
    fs::remove(results_directory / row_file_name(kind, other, ""), error);
  }
  return names;
}

void remove_unreferenced_parts(const fs::path& shards_directory, std::string_view stem,
                               const RowSegments& referred) {
  std::set<std::string> kept;
  for (const auto& segments : referred)
    for (const auto& segment : segments) kept.insert(fs::path(segment.file).filename().string());
  std::error_code error;
  std::vector<fs::path> unreferenced;
  for (const auto& entry : fs::directory_iterator(shards_directory, error)) {
    const std::string name = entry.path().filename().string();
    const auto part = read_part_name(name);
    if (part && part->stem == stem && !kept.contains(name)) unreferenced.push_back(entry.path());
  }
  for (const auto& path : unreferenced) fs::remove(path, error);
}

}  // namespace trialwright::engine
