#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>

#include "base/durable_file.hpp"
#include "engine/row_layout.hpp"
#include "shard/merge.hpp"
#include "shard/store.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;

constexpr ShardId k_whole_study{1, 1};

// Rows as they come, in parts of the whole study's own: one for every content and ending.
class RowCopier {
 public:
  explicit RowCopier(fs::path directory) : directory_(std::move(directory)) {}

  // Where the rows come to stand.
  engine::RowSegment copy(const engine::RowSegment& segment) {
    Part& part = part_like(segment.file);
    const std::uint64_t from = part.length;
    const base::ReadFile in(segment.file);
    for (std::uint64_t at = segment.from; at < segment.to;) {
      const std::string bytes = in.read(at, std::min(k_portion, segment.to - at));
      if (bytes.empty())
        throw io_error(fmt::format("{}: ends at byte {}, and rows up to byte {} should be there",
                                   segment.file, at, segment.to));
      part.out->append(bytes);
      at += bytes.size();
      part.length += bytes.size();
    }
    return {part.name, from, part.length};
  }

  void finish() {
    for (auto& [like, part] : parts_) part.out->put_in_place();
  }

 private:
  static constexpr std::uint64_t k_portion = 1 << 20;

  struct Part {
    std::string name;
    std::unique_ptr<base::FileBeside> out;
    std::uint64_t length = 0;
  };

  Part& part_like(const std::string& file) {
    auto name = engine::read_part_name(fs::path(file).filename().string());
    if (!name) throw io_error(fmt::format("{}: is no part of rows", file));
    Part& part = parts_[{name->content, name->ending}];
    if (part.out) return part;
    name->stem = fmt::format("{}-of-{}", k_whole_study.i, k_whole_study.n);
    for (name->number = 1; fs::exists(directory_ / name->text());) ++name->number;
    part.name = name->text();
    part.out = std::make_unique<base::FileBeside>(directory_ / part.name);
    return part;
  }

  fs::path directory_;
  std::map<std::pair<std::string, std::string>, Part> parts_;  // by content and ending
};

}  // namespace

void save_merged(MergeOutcome outcome, const fs::path& results_directory) {
  Store store(results_directory, outcome.content.header);
  RowCopier copier(store.directory());
  for (auto& piece : outcome.content.pieces)
    for (auto& segments : piece.rows)
      for (auto& segment : segments) segment = copier.copy(segment);
  copier.finish();
  store.finish(outcome.content);
}

}  // namespace trialwright::shard
