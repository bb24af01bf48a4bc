#include <charconv>

#include "apps/data/commands.hpp"
#include "apps/support/signals.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/known_sets.hpp"

namespace vaetl::apps {

namespace fs = std::filesystem;

std::string only_word(const Words& words, const std::string& what) {
  if (words.size() == 1) return words[0];
  throw ConfigError({"command line", "one " + what, fmt::format("{}", words.size()), "see --help"});
}

double number(const Arguments& arguments, const std::string& name, Range range) {
  const std::string text = arguments.text(name);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && range.contains(value)) return value;
  throw ConfigError({"--" + name, fmt::format("a number from {} to {}", range.low, range.high), quote(text), {}});
}

std::string place_of(const data::Reference& reference) {
  if (!reference.path.empty()) return reference.path;
  const data::KnownSet* set = data::find_known(reference.name);
  const auto folder = set != nullptr ? data::locate(*set) : std::nullopt;
  return folder ? folder->string() : std::string();
}

std::string free_out(const Arguments& arguments, const std::string& what) {
  if (!arguments.has("out")) throw ConfigError({"command line", "--out " + what, "none", "see --help"});
  const std::string out = arguments.text("out");
  std::error_code error;
  const auto status = fs::symlink_status(out, error);
  if (!fs::exists(status)) return out;
  const bool folder = fs::is_directory(out, error);
  if (arguments.has("force") && !folder) return out;
  throw OutputError(
      {out, "nothing there", folder ? "a folder" : "a file", folder ? "choose another name" : "--force replaces it"});
}

std::function<void(std::int64_t, std::int64_t)> follow(const Arguments& arguments, const std::string& label) {
  catch_signals();
  const bool quiet = arguments.has("quiet");
  const auto bar = std::make_shared<std::optional<ProgressBar>>();
  return [=](std::int64_t done, std::int64_t all) {
    if (const auto exit = caught_signal()) {
      throw Error(*exit, {label, "to go on to the end", "a request to stop", "nothing was written"});
    }
    if (quiet) return;
    if (!*bar) bar->emplace(label, all, "example");
    (*bar)->update(done);
    if (done >= all) (*bar)->finish();
  };
}

}  // namespace vaetl::apps
