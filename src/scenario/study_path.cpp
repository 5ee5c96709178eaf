#include "scenario/study_path.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/named_table.hpp"

namespace trialwright::scenario {

bool can_be_set(const input::Node& root, std::string_view path) {
  if (input::find_path(root, path)) return true;
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return true;
  const input::Node* parent = input::find_path(root, path.substr(0, dot));
  return parent && (parent->kind == input::Node::Kind::map || parent->kind == input::Node::Kind::null);
}

std::string hint_of_path(const input::Node& root, std::string_view path) {
  std::size_t begin = 0;
  for (const input::Node* node = &root; node;) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const input::Node* next = input::find_path(root, path.substr(0, end));
    if (next && end < path.size()) {
      node = next;
      begin = end + 1;
      continue;
    }
    std::vector<std::string> keys;
    for (const auto& entry : node->entries) keys.push_back(entry.key);
    const std::string near = base::closest(std::string(path.substr(begin, end - begin)), keys);
    if (!near.empty())
      return fmt::format("did you mean \"{}{}{}\"?", path.substr(0, begin), near, path.substr(end));
    break;
  }
  return "a path is written with dots from the top of the file, such as designs.fixed.patients";
}

}  // namespace trialwright::scenario
