// Files of pictures repaired by a model, one after the other, so that memory does not grow with their number.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct RepairFilesOptions {
  // Every pixel becomes 2 × 2 before, so that what comes out is twice as large: for a model that brings detail back.
  bool doubles = false;
  // What is missing is white in this picture, of each one's size: it is painted in the shade between black and white,
  // and all else stays as it is. Empty: all that the model puts out counts.
  std::filesystem::path mask = {};
  bool strict = false;  // what cannot be read or repaired is an error instead of left out
};

struct RepairFilesCalls {
  std::function<void(const Problem&)> left_out = {}, note = {};
  std::function<void(std::int64_t pictures)> progress = {};
};

struct RepairedFiles {
  std::int64_t pictures = 0, left_out = 0;
};

// Files and folders with all below (PNG and JPEG), "-" for names on the standard input, become PNG files of the model's
// channels: `out` is FILE.png for one picture, or else a folder that is new or empty, in which each has its name, with
// a number behind it where that is taken. Nothing is written before all are done. DataError where there is no picture;
// ConfigError for another `out` and as a Repairer has it.
RepairedFiles repair_files(Model& model, const std::vector<std::string>& files, const std::filesystem::path& out,
                           const RepairFilesOptions& options, const RepairFilesCalls& calls);

}  // namespace vaetl::recipe
