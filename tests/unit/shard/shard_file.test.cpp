#include "shard/shard_file.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/durable_file.hpp"
#include "support/file_faults.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using engine::Piece;
using engine::PointValues;
using support::fault_of;
using support::FileSizeLimit;
using testing::ElementsAre;
using testing::HasSubstr;

Header sample_header() {
  return {.study = "grid",
          .study_hash = 0x0123456789abcdef,
          .seed = 42,
          .version = "0.4.0",
          .resolved_yaml = "schema: 1\n",
          .shard = {3, 40},
          .n_trials = 1'000'000,
          .n_points = 10};
}

Piece sample_piece(std::size_t i_point) {
  std::mt19937_64 engine(i_point);
  Piece piece;
  piece.i_point = i_point;
  piece.range = {256 * i_point, 256 * i_point + 256};
  piece.sum.n_trials = 256;
  piece.sum.analyses.resize(1);
  piece.sum.analyses[0].n_rejected = engine() % 256;
  for (int i = 0; i < 3; ++i) {
    const double x = static_cast<double>(engine() % 1000) / 1000;
    piece.sum.analyses[0].estimate.add(x);
    piece.sum.duration_months.add(x);
  }
  piece.sum.arms.resize(1);
  const std::vector<std::uint64_t> counts{0, engine() % 50, 7};
  piece.cells = engine::SparseCounts(counts);
  return piece;
}

PointValues sample_values(std::size_t i_point) {
  PointValues values;
  values.i_point = i_point;
  values.truths = {engine::TrueValue{0.25 * static_cast<double>(i_point), 0.001}, std::nullopt};
  values.calculated.resize(2);
  values.calculated[0].power.power = 0.9;
  values.calculated[1].power.why_not = "stratified";
  return values;
}

template <class T>
std::vector<std::string> bytes_of(const std::vector<T>& things) {
  std::vector<std::string> all;
  for (const T& thing : things) {
    base::ByteWriter out;
    write(thing, out);
    all.push_back(out.take());
  }
  return all;
}

// Are these the first of those?
bool begin(const std::vector<std::string>& those, const std::vector<std::string>& these) {
  return these.size() <= those.size() && std::equal(these.begin(), these.end(), those.begin());
}

bool is_sample(const Header& header) {
  const Header sample = sample_header();
  return header.study == sample.study && header.study_hash == sample.study_hash &&
         header.seed == sample.seed && header.version == sample.version &&
         header.resolved_yaml == sample.resolved_yaml && header.shard == sample.shard &&
         header.n_trials == sample.n_trials && header.n_points == sample.n_points;
}

class ShardFile : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("trialwright_shard_" +
             std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_);
    file_ = root_ / "3-of-40.journal";
  }
  void TearDown() override { fs::remove_all(root_); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(root_)) all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
  // Plain, since it is called for every damage of a file.
  void put(std::string_view bytes) const {
    std::FILE* out = std::fopen(file_.c_str(), "wb");
    std::fwrite(bytes.data(), 1, bytes.size(), out);
    std::fclose(out);
  }

  // Whatever happened to the file: what it says is what was written, or nothing.
  void expect_nothing_wrong() const {
    const Content content = read_shard_file(file_);
    EXPECT_EQ(content.length, fs::file_size(file_));
    EXPECT_TRUE(begin(pieces_, bytes_of(content.pieces)));
    EXPECT_TRUE(begin(values_, bytes_of(content.values)));
    if (content.torn_at && *content.torn_at == 0) {
      EXPECT_EQ(content.header.n_points, 0u);
      EXPECT_TRUE(content.pieces.empty() && content.values.empty() && !content.progress);
    } else {
      EXPECT_TRUE(is_sample(content.header));
    }
    EXPECT_EQ(content.progress.value_or(Progress{.n_to_do = 77}).n_to_do, 77u);
  }

  // Two batches: points 0 and 1, and 2.
  void write_journal() {
    Journal journal(file_, sample_header(), std::nullopt);
    append(journal, 0, 2);
    append(journal, 2, 3);
  }
  void append(Journal& journal, std::size_t from, std::size_t to) {
    std::vector<Piece> pieces;
    std::vector<PointValues> values;
    for (std::size_t i = from; i < to; ++i) {
      pieces.push_back(sample_piece(i));
      values.push_back(sample_values(i));
    }
    journal.append(pieces, values,
                   {.seconds = static_cast<double>(to),
                    .n_trials = 256,
                    .n_done = to,
                    .n_to_do = 77,
                    .i_round = 2});
    for (auto& bytes : bytes_of(pieces)) pieces_.push_back(std::move(bytes));
    for (auto& bytes : bytes_of(values)) values_.push_back(std::move(bytes));
  }

  fs::path root_;
  fs::path file_;
  std::vector<std::string> pieces_;  // bytes of what was written
  std::vector<std::string> values_;
};

TEST_F(ShardFile, AJournalIsReadAsItWasWritten) {
  write_journal();
  const Content content = read_shard_file(file_);
  EXPECT_TRUE(is_sample(content.header));
  EXPECT_EQ(bytes_of(content.pieces), pieces_);
  EXPECT_EQ(content.pieces.size(), 3u);
  EXPECT_EQ(bytes_of(content.values), values_);
  EXPECT_FALSE(content.is_whole);
  EXPECT_FALSE(content.torn_at);
  ASSERT_TRUE(content.progress);
  EXPECT_EQ(content.progress->seconds, 3.0);
  EXPECT_EQ(content.progress->n_done, 3u);
}

TEST_F(ShardFile, AWholeFileIsReadAsItWasWritten) {
  write_journal();
  Content content = read_shard_file(file_);
  content.progress.reset();
  write_shard_file(root_ / whole_name({3, 40}), content);
  EXPECT_THAT(names(), ElementsAre("3-of-40.journal", "3-of-40.shard"));
  const Content whole = read_shard_file(root_ / "3-of-40.shard");
  EXPECT_TRUE(is_sample(whole.header));
  EXPECT_EQ(bytes_of(whole.pieces), pieces_);
  EXPECT_EQ(bytes_of(whole.values), values_);
  EXPECT_TRUE(whole.is_whole);
  EXPECT_FALSE(whole.torn_at);
  EXPECT_FALSE(whole.progress);
}

// More than one record of each kind.
TEST_F(ShardFile, LargeOnesAreWrittenInRecords) {
  Content content;
  content.header = sample_header();
  content.header.n_points = 4000;
  for (std::size_t i = 0; i < 4000; ++i) content.pieces.push_back(sample_piece(i));
  write_shard_file(file_, content);
  EXPECT_GT(fs::file_size(file_), 3 * 256 * 1024u);
  const Content read = read_shard_file(file_);
  EXPECT_EQ(bytes_of(read.pieces), bytes_of(content.pieces));
  std::string damaged = base::read_file(file_);
  damaged[damaged.size() / 2] ^= 1;
  put(damaged);
  const Content rest = read_shard_file(file_);
  ASSERT_TRUE(rest.torn_at);
  EXPECT_GT(rest.pieces.size(), 500u);
  EXPECT_LT(rest.pieces.size(), 2500u);
}

TEST_F(ShardFile, ProgressAloneIsTheLastAndTheHeader) {
  write_journal();
  const Content journal = read_shard_progress(file_);
  EXPECT_TRUE(is_sample(journal.header));
  EXPECT_TRUE(journal.pieces.empty());
  EXPECT_FALSE(journal.is_whole);
  ASSERT_TRUE(journal.progress);
  EXPECT_EQ(journal.progress->seconds, 3.0);
  EXPECT_EQ(journal.progress->n_to_do, 77u);
  EXPECT_EQ(journal.progress->i_round, 2u);
  Content content = read_shard_file(file_);
  write_shard_file(root_ / "x.shard", content);
  const Content whole = read_shard_progress(root_ / "x.shard");
  EXPECT_TRUE(whole.is_whole);
  EXPECT_EQ(whole.progress->n_done, 3u);
}

TEST_F(ShardFile, CutAnywhereItGivesWhatStandsBefore) {
  write_journal();
  const std::string bytes = base::read_file(file_);
  std::size_t n_seen = 0;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    put(bytes.substr(0, n));
    expect_nothing_wrong();
    const Content cut = read_shard_file(file_);
    EXPECT_GE(cut.pieces.size(), n_seen);
    n_seen = cut.pieces.size();
    EXPECT_LE(cut.torn_at.value_or(n), n);
    const Content progress = read_shard_progress(file_);
    EXPECT_EQ(progress.torn_at, cut.torn_at);
    EXPECT_EQ(progress.progress.has_value(), cut.progress.has_value());
  }
  EXPECT_EQ(n_seen, 3u);
  // Zeros, as after a loss of power, instead of what is missing.
  for (std::size_t n = 0; n < bytes.size(); n += n == 0 ? 22 : 3) {
    put(bytes.substr(0, n) + std::string(bytes.size() - n, '\0'));
    expect_nothing_wrong();
  }
}

TEST_F(ShardFile, AWholeFileThatIsCutIsNotWhole) {
  write_journal();
  write_shard_file(root_ / "x.shard", read_shard_file(file_));
  const std::string bytes = base::read_file(root_ / "x.shard");
  for (std::size_t n = 1; n < 60; ++n) {
    put(bytes.substr(0, bytes.size() - n));
    expect_nothing_wrong();
    EXPECT_FALSE(read_shard_file(file_).is_whole);
    EXPECT_FALSE(read_shard_progress(file_).is_whole);
  }
}

TEST_F(ShardFile, OfOneDamagedByteWhatStandsBeforeIsRead) {
  write_journal();
  const std::string bytes = base::read_file(file_);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ (i % 3 == 0 ? 0xff : 1 << (i % 8)));
    put(damaged);
    if (i < 22) {
      EXPECT_NE(fault_of([&] { read_shard_file(file_); }), "");
      EXPECT_NE(fault_of([&] { read_shard_progress(file_); }), "");
      continue;
    }
    expect_nothing_wrong();
    const Content read = read_shard_file(file_);
    ASSERT_TRUE(read.torn_at) << i;
    EXPECT_LE(*read.torn_at, i);
    read_shard_progress(file_);
  }
}

TEST_F(ShardFile, RecordsOfElsewhereAreNone) {
  write_journal();
  const std::string bytes = base::read_file(file_);
  // Its second half once more at its end, and all of it behind a whole file's end.
  const std::size_t end = bytes.size();
  put(bytes + bytes.substr(bytes.size() / 2));
  EXPECT_EQ(read_shard_file(file_).torn_at, end);
  Content content;
  content.header = sample_header();
  content.pieces = {sample_piece(1)};
  write_shard_file(root_ / "x.shard", content);
  put(base::read_file(root_ / "x.shard") + bytes);
  const Content read = read_shard_file(file_);
  EXPECT_TRUE(read.is_whole);
  EXPECT_EQ(read.torn_at, fs::file_size(root_ / "x.shard"));
  EXPECT_EQ(bytes_of(read.pieces), bytes_of(content.pieces));
}

TEST_F(ShardFile, APieceOfAPointThatTheStudyLacksIsDamage) {
  Content content;
  content.header = sample_header();
  content.pieces = {sample_piece(1), sample_piece(10)};
  write_shard_file(file_, content);
  EXPECT_TRUE(read_shard_file(file_).torn_at);
  EXPECT_TRUE(read_shard_file(file_).pieces.empty());
}

TEST_F(ShardFile, OfAnotherKindOrFormatIsToldSo) {
  put("study: phase3\n");
  EXPECT_EQ(fault_of([&] { read_shard_file(file_); }),
            file_.string() + ": is no shard file of this program; move it away, and go on without it");
  write_journal();
  std::string bytes = base::read_file(file_);
  bytes[18] = 9;
  put(bytes);
  EXPECT_EQ(
      fault_of([&] { read_shard_file(file_); }),
      file_.string() +
          ": is a shard file of format 9, and this program reads format 3; use the version of the "
          "program that wrote it, or move the file away and do its work again");
  EXPECT_THAT(fault_of([&] { read_shard_file(root_ / "absent"); }), HasSubstr("cannot be read"));
  EXPECT_THAT(fault_of([&] { read_shard_file(root_); }), HasSubstr("Is a directory"));
}

TEST_F(ShardFile, AJournalGoesOnAfterATornTailWhichIsSetAside) {
  write_journal();
  const std::string whole = base::read_file(file_);
  const auto pieces = pieces_, values = values_;
  for (int k = 1; k <= 2; ++k) {
    put(whole.substr(0, whole.size() - 20));
    const Content torn = read_shard_file(file_);
    ASSERT_TRUE(torn.torn_at);
    pieces_ = bytes_of(torn.pieces);
    values_ = bytes_of(torn.values);
    {
      Journal journal(file_, sample_header(), *torn.torn_at);
      append(journal, 6, 8);
      append(journal, 8, 9);
    }
    const std::string aside = base::read_file(root_ / ("3-of-40.journal.torn-" + std::to_string(k)));
    EXPECT_EQ(aside, whole.substr(*torn.torn_at, whole.size() - 20 - *torn.torn_at));
    const Content read = read_shard_file(file_);
    EXPECT_FALSE(read.torn_at);
    EXPECT_EQ(bytes_of(read.pieces), pieces_);
    EXPECT_EQ(bytes_of(read.values), values_);
    EXPECT_EQ(read.progress->seconds, 9.0);
  }
  // Torn within its header: begun again.
  put(whole.substr(0, 40));
  pieces_.clear();
  values_.clear();
  {
    Journal journal(file_, sample_header(), *read_shard_file(file_).torn_at);
    append(journal, 0, 1);
  }
  EXPECT_EQ(bytes_of(read_shard_file(file_).pieces), pieces_);
  EXPECT_THAT(names(), ElementsAre("3-of-40.journal", "3-of-40.journal.torn-1",
                                   "3-of-40.journal.torn-2", "3-of-40.journal.torn-3"));
  EXPECT_THAT(shard_files_in(root_), ElementsAre(file_));
  EXPECT_EQ(set_tail_aside(file_, fs::file_size(file_)), std::nullopt);
  EXPECT_EQ(set_tail_aside(root_ / "absent", 0), std::nullopt);
}

TEST_F(ShardFile, AnEmptyJournalThrowsNothingAway) {
  write_journal();
  const std::string before = base::read_file(file_);
  Journal journal(file_, sample_header(), std::nullopt);
  EXPECT_TRUE(read_shard_file(file_).pieces.empty());
  EXPECT_EQ(base::read_file(root_ / "3-of-40.journal.torn-1"), before);
}

TEST_F(ShardFile, AFullDiskLeavesWhatWasSavedAndTheJournalGoesOnWhenThereIsRoom) {
  Journal journal(file_, sample_header(), std::nullopt);
  append(journal, 0, 2);
  const std::string before = base::read_file(file_);
  {
    const FileSizeLimit limit(before.size() + 100);
    EXPECT_EQ(fault_of([&] { append(journal, 2, 5); }),
              file_.string() + ": appending failed, what was saved before stands (File too large)");
  }
  EXPECT_EQ(base::read_file(file_), before);
  append(journal, 2, 5);
  EXPECT_EQ(bytes_of(read_shard_file(file_).pieces), pieces_);
  EXPECT_FALSE(read_shard_file(file_).torn_at);
}

TEST_F(ShardFile, ADirectoryRemovedUnderWayIsTold) {
  fs::create_directories(root_ / "shards");
  const fs::path file = root_ / "shards" / "1-of-1.journal";
  Journal journal(file, sample_header(), std::nullopt);
  fs::remove_all(root_ / "shards");
  EXPECT_EQ(fault_of([&] { append(journal, 0, 1); }),
            file.string() + ": was removed or replaced while it was written to");
  EXPECT_THAT(fault_of([&] { Journal another(file, sample_header(), std::nullopt); }),
              HasSubstr("cannot be written (No such file or directory)"));
}

TEST_F(ShardFile, ADirectorysFilesAreThoseOfShards) {
  EXPECT_TRUE(shard_files_in(root_ / "absent").empty());
  for (const char* name :
       {"b.shard", "a.journal", "a.journal.torn-1", "rounds", "c.shard.12ab.partial"})
    base::write_file(root_ / name, "x");
  fs::create_directories(root_ / "d.shard");
  EXPECT_THAT(shard_files_in(root_), ElementsAre(root_ / "a.journal", root_ / "b.shard"));
  EXPECT_THAT(fault_of([&] { shard_files_in(root_ / "rounds"); }), HasSubstr("Not a directory"));
  EXPECT_EQ(shards_directory("results"), fs::path("results") / "shards");
  EXPECT_EQ(whole_name({3, 40}), "3-of-40.shard");
  EXPECT_EQ(journal_name({3, 40}), "3-of-40.journal");
}

}  // namespace
}  // namespace trialwright::shard
