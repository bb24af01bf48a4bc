// What vaetl-enhance does, by what it is given: files, data that are damaged on purpose, or a content and a style.
#pragma once
#include <string>
#include <vector>

#include "apps/support/program.hpp"

namespace vaetl::apps {

Result repair_given_files(const Arguments& arguments);
Result compare_on_data(const Arguments& arguments);
Result restyle(const Arguments& arguments);

}  // namespace vaetl::apps
