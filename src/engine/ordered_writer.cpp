#include "engine/ordered_writer.hpp"

namespace trialwright::engine {

OrderedWriter::OrderedWriter(std::size_t most_waiting_bytes, Sink sink, Written written)
    : most_waiting_bytes_(most_waiting_bytes), sink_(std::move(sink)), written_(std::move(written)) {}

void OrderedWriter::append(std::uint64_t i_block, std::size_t i_stream, std::string_view bytes) {
  if (bytes.empty()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return has_failed_ || i_block == oldest_ || n_waiting_bytes_ + bytes.size() <= most_waiting_bytes_;
  });
  if (has_failed_) return;
  if (i_block != oldest_) {
    waiting_[i_block].bytes.emplace_back(i_stream, bytes);
    n_waiting_bytes_ += bytes.size();
    return;
  }
  write_waiting(lock);
  write(i_stream, bytes, lock);
}

void OrderedWriter::finish(std::uint64_t i_block) {
  std::unique_lock lock(mutex_);
  waiting_[i_block].is_finished = true;
  if (i_block != oldest_) return;
  // The next blocks' turn comes with oldest_, so this thread alone writes until it leaves the loop.
  for (auto next = waiting_.find(oldest_); next != waiting_.end() && next->second.is_finished;
       next = waiting_.find(oldest_)) {
    write_waiting(lock);
    if (has_failed_) return;
    written_();
    waiting_.erase(next);
    ++oldest_;
  }
  changed_.notify_all();
}

void OrderedWriter::fail() {
  const std::lock_guard lock(mutex_);
  has_failed_ = true;
  waiting_.clear();
  changed_.notify_all();
}

void OrderedWriter::write_waiting(std::unique_lock<std::mutex>& lock) {
  const auto found = waiting_.find(oldest_);
  if (found == waiting_.end()) return;
  for (const auto& [i_stream, bytes] : std::exchange(found->second.bytes, {})) {
    write(i_stream, bytes, lock);
    n_waiting_bytes_ -= bytes.size();
  }
  changed_.notify_all();
}

void OrderedWriter::write(std::size_t i_stream, std::string_view bytes,
                          std::unique_lock<std::mutex>& lock) {
  if (has_failed_) return;
  lock.unlock();
  try {
    sink_(i_stream, bytes);
  } catch (...) {
    fail();
    throw;
  }
  lock.lock();
}

}  // namespace trialwright::engine
