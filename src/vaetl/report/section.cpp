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

std::string render_origin(const ReportFolder& folder, int level) {
  std::string result;
  if (const std::string command = folder.view().text("command"); !command.empty()) {
    result += html::tag("pre", html::tag("code", html::escape(command)), "class=\"wrap\"") + "\n";
  }
  if (!folder.recipe.is_null()) {
    const std::string recipe = html::tag("code", html::escape(folder.recipe.dump(2)));
    result += html::folded("Resolved recipe", html::tag("pre", recipe, "tabindex=\"0\""));
  }
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
