// A zoo of its own for each test: VAETL_ZOO and the user's folder are temporary ones.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::testing {

namespace fs = std::filesystem;

// Sets a variable for the lifetime of the object.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str())) old_ = old;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() { old_ ? ::setenv(name_.c_str(), old_->c_str(), 1) : ::unsetenv(name_.c_str()); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
  std::optional<std::string> old_;
};

inline Json scale_to_unit() { return Json::array({{{"name", "scale"}, {"from", {0, 255}}, {"to", {0, 1}}}}); }

inline std::shared_ptr<Model> small_model(const std::string& name, Json more, std::uint64_t key = 1) {
  Json options{{"input", {1, 8, 8}}, {"channels", {4, 8}}, {"dense", {16}}};
  options.update(more);
  seed(key);
  auto model = build({name, options});
  model->set_preprocess(scale_to_unit());
  model->eval();
  return model;
}
inline std::shared_ptr<Model> small_classifier(std::uint64_t key = 1) {
  return small_model("cnn", {{"classes", 3}, {"batch_norm", true}}, key);
}

inline Run finished_run() {
  Run run;
  run.metrics = {{"accuracy", 0.875}};
  run.steps = 40;
  run.epochs = 2;
  run.seconds = 75;
  run.options = {{"seed", 7}};
  run.recipe = {{"name", "shapes"}, {"seed", 7}};
  run.provenance = {{"data", {{"name", "shapes"}, {"licence", "MIT"}, {"classes", {"disc", "box", "star"}}}},
                    {"device", "cpu"}};
  return run;
}

class ZooTest : public ::testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }
  fs::path save_classifier(const std::string& name = "shapes", std::uint64_t key = 1) {
    return zoo::save(name, *small_classifier(key), finished_run(),
                     {.summary = "Tells shapes apart.", .licence = "CC0-1.0"});
  }
  static Json read_card_json(const fs::path& entry) {
    return parse_json(read_file(entry / "model.json"), "model.json");
  }
  // With a checksum of its own that fits, as whoever forges a card would make one.
  static void edit_card(const fs::path& entry, const std::function<void(Json&)>& edit) {
    Json card = read_card_json(entry);
    edit(card);
    if (card.is_object() && card.contains("card_sha256")) {
      card["card_sha256"] = "";
      card["card_sha256"] = sha256_hex(card.dump(2));
    }
    write_atomically(entry / "model.json", card.dump(2));
  }

 private:
  TemporaryFolder folder_;
  Environment zoo_{"VAETL_ZOO", folder_.path() + "/zoo"};
  Environment data_{"XDG_DATA_HOME", folder_.path() + "/data"};
};

inline std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    if (item.is_regular_file()) files[fs::relative(item.path(), folder).string()] = read_file(item.path());
  }
  return files;
}

}  // namespace vaetl::testing
