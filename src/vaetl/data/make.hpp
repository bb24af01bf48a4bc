// Synthetic sets whose answers are known: what a model should reach on them can be computed, and whatever it learns can
// be compared with what made them. The same options and seed make the same bytes. A user's own class joins by
// registry<Maker>().add<Mine>().
//
//   const auto made = make<Maker>("two-moons", {{"noise", 0.2}})->make("moons.csv", {.seed = 1});
//   auto moons = data::open(made.reference);
#pragma once
#include <filesystem>
#include <functional>

#include "vaetl/core/registry.hpp"
#include "vaetl/data/reference.hpp"

namespace vaetl {

struct Making {
  std::uint64_t seed = 0;
  std::function<void(std::int64_t done, std::int64_t all)> progress = {};  // examples; may throw to end it
};

struct Made {
  std::vector<data::Reference> open = {};  // how it is read
  std::int64_t examples = 0;
  Json truth = Json::object();  // what is known of it
};

class Maker {
 public:
  using Kind = Maker;
  virtual ~Maker() = default;
  virtual const char* out() const = 0;  // what is written: "FILE.csv", "FOLDER"
  // Everything appears at once, complete. OutputError where it cannot be written; then nothing is left of it.
  virtual Made make(const std::filesystem::path& out, const Making& making) const = 0;
};

template <>
Registry<Maker>& registry<Maker>();  // data/make/table.cpp

}  // namespace vaetl
