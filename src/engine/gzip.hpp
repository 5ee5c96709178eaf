// gzip (RFC 1952), by zlib: a text becomes one member; members one after another are a valid file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace trialwright::engine {

// One thread's. The same text gives the same bytes, whatever was compressed before.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(Gzip&&) noexcept;

  // The member, valid until the next call. The first call takes the memory that all need.
  std::string_view compress(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace trialwright::engine
