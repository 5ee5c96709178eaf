// Reads a piece of a study file from text, as tests of the `read_…` functions need it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "input/diagnostics.hpp"
#include "input/document.hpp"
#include "input/reader.hpp"

namespace trialwright::test_support {

// What `read(reader)` returned, with the faults found and the resolved echo.
template <class T>
struct ReadText {
  T value;
  input::Diagnostics faults;
  std::string text;  // of the faults, as printed
  std::string resolved;
};

template <class Read>
auto read_text(std::string_view yaml, Read read) {
  input::Diagnostics faults;
  input::Document document = input::parse_document(yaml, "study.yaml", ".", faults);
  input::Node resolved = input::Node::map();
  auto value = [&] {
    input::Reader reader(document.root, "", faults, resolved);
    return read(reader);
  }();
  std::string text = faults.text(document.sources);
  return ReadText<decltype(value)>{std::move(value), std::move(faults), std::move(text),
                                   input::to_yaml(resolved)};
}

}  // namespace trialwright::test_support
