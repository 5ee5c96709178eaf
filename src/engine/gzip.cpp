#include "engine/gzip.hpp"

#include <zlib.h>

#include <new>
#include <stdexcept>

namespace trialwright::engine {

struct Gzip::State {
  z_stream stream{};
  std::string member;

  State() {
    // 15 + 16: the longest window, and gzip's frame, whose time and file name stay empty.
    if (::deflateInit2(&stream, k_level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::deflateEnd(&stream); }

  static constexpr int k_level = 4;
};

Gzip::Gzip() = default;
Gzip::~Gzip() = default;
Gzip::Gzip(Gzip&&) noexcept = default;

std::string_view Gzip::compress(std::string_view text) {
  if (!state_) state_ = std::make_unique<State>();
  auto& [stream, member] = *state_;
  ::deflateReset(&stream);
  const std::size_t bound = ::deflateBound(&stream, text.size());
  // Grown, never cleared: only what deflate writes is read.
  if (member.size() < bound) member.resize(bound);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(member.data());
  stream.avail_out = static_cast<uInt>(member.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib does not compress");
  return {member.data(), member.size() - stream.avail_out};
}

}  // namespace trialwright::engine
