// The user's mistakes: collected in one pass, printed with file:line:column, the line and a caret.
#pragma once

#include <string>
#include <vector>

#include "input/node.hpp"

namespace trialwright::input {

// The texts that positions point into.
class Sources {
 public:
  // Returns the source's number.
  int add(std::string name, std::string text);
  const std::string& name(int source) const;
  std::string line(const Position& at) const;

 private:
  struct Source {
    std::string name;
    std::vector<std::string> lines;
  };
  std::vector<Source> sources_;
};

struct Diagnostic {
  Position at;
  std::string problem;  // "what is wrong (why)"
  std::string hint;     // the nearest valid spelling or range; may be empty
};

// Collects faults; the same fault at the same place is kept once. `text()` sorts by source and place.
class Diagnostics {
 public:
  void add(const Position& at, std::string problem, std::string hint = {});
  bool empty() const { return faults_.empty(); }
  std::size_t size() const { return faults_.size(); }
  const std::vector<Diagnostic>& faults() const { return faults_; }

  // For each fault:
  //   study.yaml:7:13: error: "patients" is 0 (a whole number of at least 2 is needed)
  //       patients: 0
  //                 ^
  //     hint: ...
  // and a last line that counts them.
  std::string text(const Sources& sources) const;

 private:
  std::vector<Diagnostic> faults_;
};

}  // namespace trialwright::input
