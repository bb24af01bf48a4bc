#include "vaetl/report/section.hpp"

#include <fmt/format.h>

#include "vaetl/io/base64.hpp"
#include "vaetl/report/html.hpp"

namespace vaetl {

std::string render_pictures(const ReportFolder& folder, int level) {
  if (folder.pictures.empty()) return {};
  std::string figures;
  for (const Picture& picture : folder.pictures) {
    const std::string caption = html::escape(picture.caption);
    figures += html::tag("figure", fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"/>{}",
                                               data_uri("image/png", picture.bytes), picture.width, picture.height,
                                               caption, html::tag("figcaption", caption))) +
               "\n";
  }
  return html::heading(level, "Pictures") + html::tag("div", "\n" + figures, "class=\"pictures\"") + "\n";
}

namespace {

// As a shell reads it: in quotes where it needs them.
std::string shell_word(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_text(const std::string& command) {
  return html::tag("pre", html::tag("code", html::escape(command)), "class=\"wrap\"") + "\n";
}

// The resolved recipe holds every option; device and threads are what else decides about bits.
std::string command_again(const ReportFolder& folder) {
  const JsonView run = folder.view();
  std::string command = "vaetl-train " + shell_word((folder.path / "recipe.json").string());
  if (const std::string device = run.text("device"); !device.empty()) command += " --device " + shell_word(device);
  if (const auto threads = run.number("threads")) command += fmt::format(" --threads {:.0f}", *threads);
  return command + " --out again";
}

std::string made_by(const JsonView& run) {
  const std::string vaetl = run.text("vaetl"), torch = run.text("torch");
  if (vaetl.empty()) return {};
  return html::tag("p", html::escape(fmt::format("Made by vaetl {} with LibTorch {}.", vaetl, torch)),
                   "class=\"note\"") +
         "\n";
}

}  // namespace

std::string render_origin(const ReportFolder& folder, int level) {
  const JsonView view = folder.view();
  std::string result;
  if (const std::string command = view.text("command"); !command.empty()) result += command_text(command);
  if (!folder.recipe.is_null()) {
    if (folder.kind == ReportFolder::Kind::run) {
      result += html::tag("p",
                          "The same from the resolved recipe, which holds every option, whatever became of the file "
                          "and the settings above:") +
                "\n" + command_text(command_again(folder));
    }
    const std::string recipe = html::tag("code", html::escape(folder.recipe.dump(2)));
    result += html::folded("Resolved recipe", html::tag("pre", recipe, "tabindex=\"0\""));
  }
  result += made_by(view);
  return result.empty() ? "" : html::heading(level, "How to make it again") + result;
}

std::string describe_data(const ReportFolder& folder) {
  const std::string name = folder.view().object("data").text("name");
  if (!name.empty() || !folder.recipe.is_object()) return name;
  const JsonView recipe(folder.recipe, (folder.path / "recipe.json").string());
  const JsonView data = recipe.object("data");
  return data.has("open") ? data.text("open") : data.object("train").text("open");
}

}  // namespace vaetl
