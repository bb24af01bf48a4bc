// Which of the dicts in a checkpoint is meant.
#include <unordered_set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/pytorch_format.hpp"

namespace vaetl::pytorch {
namespace {

using pickle::Dict;
using pickle::Document;
using pickle::Id;
using pickle::List;
using pickle::Tuple;

constexpr std::string_view usual_keys[] = {"state_dict", "model_state_dict", "model"};

// (part of the path, value) of each value in a dict, list or tuple; nothing of any other.
template <class Use>
void each_child(const Document& document, Id id, Use&& use) {
  if (const auto* dict = document.get<Dict>(id)) {
    for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2) use(dict->items[i], i / 2, dict->items[i + 1]);
    return;
  }
  const auto* list = document.get<List>(id);
  const auto* tuple = document.get<Tuple>(id);
  if (list == nullptr && tuple == nullptr) return;
  const auto& items = list != nullptr ? list->items : tuple->items;
  for (std::size_t i = 0; i < items.size(); ++i) use(no_key, i, items[i]);
}

bool holds_tensors(const Document& document, Id id) {
  const auto* dict = document.get<Dict>(id);
  if (dict == nullptr) return false;
  for (std::size_t i = 1; i < dict->items.size(); i += 2) {
    if (document.get<pickle::TensorAt>(dict->items[i])) return true;
  }
  return false;
}

// Dicts, lists and tuples, level by level from the top; each once, however many refer to it.
class Levels {
 public:
  explicit Levels(const Document& document) : document_(document) {
    nodes_.push_back({document.root, 0, no_key, 0});
    seen_.insert(document.root);
  }

  // The nodes of the next level, [first, last); none at the end.
  std::pair<std::size_t, std::size_t> next() {
    const std::size_t first = std::exchange(end_, nodes_.size());
    for (std::size_t i = first; i < end_; ++i) {
      each_child(document_, nodes_[i].id, [&](Id key, std::size_t index, Id child) {
        if (is_container(child) && seen_.insert(child).second) nodes_.push_back({child, i, key, index});
      });
    }
    return {first, end_};
  }

  Id id(std::size_t node) const { return nodes_[node].id; }
  std::string path(std::size_t node) const {
    if (node == 0) return {};
    const std::string above = path_above(node), part = path_part(document_, nodes_[node].key, nodes_[node].index);
    return above.empty() ? part : above + "." + part;
  }

 private:
  struct Node {
    Id id;
    std::size_t above;
    Id key;
    std::size_t index;
  };
  bool is_container(Id id) const {
    return document_.get<Dict>(id) || document_.get<List>(id) || document_.get<Tuple>(id);
  }
  std::string path_above(std::size_t node) const {
    std::vector<std::size_t> nodes;
    for (std::size_t at = nodes_[node].above; at != 0; at = nodes_[at].above) nodes.push_back(at);
    std::string path;
    for (auto at = nodes.rbegin(); at != nodes.rend(); ++at) {
      path += (path.empty() ? "" : ".") + path_part(document_, nodes_[*at].key, nodes_[*at].index);
    }
    return path;
  }

  const Document& document_;
  std::vector<Node> nodes_;
  std::unordered_set<Id> seen_;
  std::size_t end_ = 0;
};

std::string describe(const Document& document) {
  if (const auto* dict = document.get<Dict>(document.root)) {
    return fmt::format("a dict of {} values without one", dict->items.size() / 2);
  }
  if (const auto* list = document.get<List>(document.root)) {
    return fmt::format("a list of {} values without one", list->items.size());
  }
  return document.get<pickle::TensorAt>(document.root) ? "a tensor alone" : "a value of another kind";
}

constexpr std::size_t most_told = 8;  // paths of candidates, which a message needs

[[noreturn]] void refuse_several(const std::vector<Chosen>& found, const std::string& where) {
  std::vector<std::string> paths;
  for (const Chosen& chosen : std::span(found).first(std::min(most_told, found.size()))) {
    paths.push_back(quote(chosen.path.empty() ? "." : chosen.path));
  }
  const std::string more = found.size() > most_told ? ", …" : "";
  throw FileError({where, "one dict of tensors", fmt::format("{}: {}{}", found.size(), join(paths), more),
                   "choose one by the option key: FILE?key=NAME"});
}

// The values at the top under the keys that most programs use.
std::vector<Chosen> usual_dicts(const Document& document) {
  std::vector<Chosen> found;
  each_child(document, document.root, [&](Id key, std::size_t, Id value) {
    const auto* text = key == no_key ? nullptr : document.get<pickle::Text>(key);
    const bool usual = text && std::count(std::begin(usual_keys), std::end(usual_keys), text->value) > 0;
    if (usual && holds_tensors(document, value)) found.push_back({value, std::string(text->value)});
  });
  return found;
}

// Dicts of tensors on the level nearest to the top that has one. The top and its values count as one level: tensors
// beside dicts of tensors leave a choice.
std::vector<Chosen> nearest_dicts(const Document& document) {
  std::vector<Chosen> found;
  Levels levels(document);
  std::size_t depth = 0;
  for (auto [first, last] = levels.next(); first < last; std::tie(first, last) = levels.next()) {
    for (std::size_t node = first; node < last; ++node) {
      if (!holds_tensors(document, levels.id(node))) continue;
      found.push_back({levels.id(node), found.size() < most_told ? levels.path(node) : std::string()});
    }
    if (depth++ > 0 && !found.empty()) break;
  }
  return found;
}

// The value that `path` leads to. A key may have dots in it.
std::optional<Id> follow(const Document& document, Id id, std::string_view path) {
  std::optional<Id> next;
  std::size_t longest = 0;
  each_child(document, id, [&](Id key, std::size_t index, Id value) {
    const auto* text = key == no_key ? nullptr : document.get<pickle::Text>(key);
    if (text != nullptr && text->value.size() > path.size()) return;
    const std::string part = path_part(document, key, index);
    const bool fits = path.starts_with(part) && (path.size() == part.size() || path[part.size()] == '.');
    if (!fits || part.size() < longest) return;
    next = value;
    longest = part.size();
  });
  if (!next || longest == path.size()) return next;
  return follow(document, *next, path.substr(longest + 1));
}

Chosen choose_key(const Document& document, const std::string& key, const std::string& where) {
  const auto id = key == "." ? std::optional(document.root) : follow(document, document.root, key);
  if (id && document.get<Dict>(*id)) return {*id, key == "." ? "" : key};
  std::vector<std::string> known;
  for (const Chosen& chosen : nearest_dicts(document)) {
    if (!chosen.path.empty() && chosen.path.size() < 200) known.push_back(chosen.path);
  }
  throw ConfigError({where + ": key", "the dotted path of a dict in the file", quote(key), did_you_mean(key, known)});
}

}  // namespace

std::string path_part(const Document& document, Id key, std::size_t index) {
  if (key == no_key) return std::to_string(index);
  if (const auto* text = document.get<pickle::Text>(key)) return std::string(text->value);
  if (const auto* number = document.get<std::int64_t>(key)) return std::to_string(*number);
  return fmt::format("#{}", index);  // by its place: a tuple, say
}

Chosen choose(const Document& document, const std::string& key, const std::string& where) {
  if (!key.empty()) return choose_key(document, key, where);
  std::vector<Chosen> found = usual_dicts(document);
  if (found.empty()) found = nearest_dicts(document);
  if (found.size() > 1) refuse_several(found, where);
  if (found.size() == 1) return found[0];
  throw FileError({where, "a dict of tensors", describe(document), "save model.state_dict() instead"});
}

}  // namespace vaetl::pytorch
