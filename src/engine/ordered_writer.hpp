// Bytes that several threads make, block by block, written in the order of the blocks with bounded
// memory.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trialwright::engine {

// Blocks are numbered from 0 and must be begun in that order, as the pool hands them out: then the
// oldest one under way has no other to wait for, and writes straight through. Bytes of later blocks are
// kept, up to a limit over all of them; beyond it their threads wait until theirs is the oldest.
class OrderedWriter {
 public:
  // Writes bytes to a stream (0, 1 …); called by one thread at a time.
  using Sink = std::function<void(std::size_t i_stream, std::string_view bytes)>;
  // Told that all bytes of the next block are written; called as `sink` is.
  using Written = std::function<void()>;

  OrderedWriter(std::size_t most_waiting_bytes, Sink sink, Written written);

  // Appends to a block under way, by its thread. Where the sink throws, so does this, and the writer
  // has failed: from then on nothing is written, and nobody waits.
  void append(std::uint64_t i_block, std::size_t i_stream, std::string_view bytes);
  // The block's last call.
  void finish(std::uint64_t i_block);
  // A block ends before it is finished: the writer has failed.
  void fail();

 private:
  struct Waiting {
    std::vector<std::pair<std::size_t, std::string>> bytes;  // stream, bytes
    bool is_finished = false;
  };

  // Writes what waits of the oldest block; `lock` is let go meanwhile.
  void write_waiting(std::unique_lock<std::mutex>& lock);
  void write(std::size_t i_stream, std::string_view bytes, std::unique_lock<std::mutex>& lock);

  const std::size_t most_waiting_bytes_;
  const Sink sink_;
  const Written written_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Waiting> waiting_;  // blocks from oldest_ on
  std::size_t n_waiting_bytes_ = 0;
  std::uint64_t oldest_ = 0;  // all before are written
  bool has_failed_ = false;
};

}  // namespace trialwright::engine
