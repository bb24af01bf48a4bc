// A method: a word for parts of a recipe. It is a pure function of its options to keys of the sections transfer,
// objective, trainer and data, which lie under what the recipe says itself. So a method can do nothing that a recipe
// could not spell out, no other code knows of any, and --print-config shows what it means.
//
//   "transfer": {"from": "zoo:NAME", "heads": [{"classes": 10}], "method": {"name": "gradual", "every": 1}}
//
// A new one is one file (transfer/methods/) and one line in a table, or in a program
// registry<transfer::Method>().add<Mine>(). In C++ what it says of the adaptation is
//
//   auto options = from_json<AdaptOptions>(make<transfer::Lora>({.rank = 4})->patch()["transfer"]);
#pragma once
#include <string_view>

#include "vaetl/core/registry.hpp"

namespace vaetl::transfer {

class Method {
 public:
  using Kind = Method;
  struct About {
    std::string_view text;   // one line
    std::string_view paper;  // empty: none
    std::string_view more;   // lines: what it does, when it pays, what it costs
  };
  virtual ~Method() = default;
  virtual About about() const = 0;
  // {"transfer": {…}, "trainer": {…}, "data": {…}}: keys that the recipe leaves out. "objective" is an array of terms
  // that are added to the recipe's own.
  virtual Json patch() const = 0;
};

// The recipe without transfer.method, with what that means; transfer.expanded_from is left to tell of it. Key by key:
// a section's key that the recipe has stays as it is, but for options that it leaves out of a named thing of the same
// name ({"name": "adamw"}); a term is not added where the objective has one of its name. ConfigError for an unknown
// method or option.
Json expand_method(Json recipe);

// The keys of `defaults` that a section leaves out, by the same rules.
void lay_under(Json& section, const Json& defaults);

// What --help says of one, and the list of all.
std::string method_help(const std::string& name);
std::string method_list();

}  // namespace vaetl::transfer

namespace vaetl {
template <>
Registry<transfer::Method>& registry<transfer::Method>();  // transfer/methods/table.cpp
}
