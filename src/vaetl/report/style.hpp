// The one style sheet of all pages, light and dark, for screens from 320 px.
#pragma once
#include <string_view>

namespace vaetl::html {

extern const std::string_view style;

}  // namespace vaetl::html
