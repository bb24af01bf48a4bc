// One family of errors. what() is one line, "where: expected X, found Y; remedy", and each kind has an exit code of the
// apps.
#pragma once
#include <stdexcept>
#include <string>

namespace vaetl {

struct Problem {
  std::string where = {}, expected = {}, found = {}, remedy = {};
};

enum class Exit {
  ok = 0,
  internal = 1,
  config = 2,
  data = 3,
  file = 4,
  device = 5,
  diverged = 6,
  output = 7,
  interrupted = 130,
  terminated = 143
};

struct Error : std::runtime_error {
  Error(Exit code, Problem problem);
  Exit exit_code;
  Problem problem;
};

template <Exit Code>
struct ErrorOf final : Error {
  explicit ErrorOf(Problem p) : Error(Code, std::move(p)) {}
};

using ConfigError = ErrorOf<Exit::config>;      // a recipe, an option, a name
using DataError = ErrorOf<Exit::data>;          // what a dataset holds or lacks
using FileError = ErrorOf<Exit::file>;          // weights, checkpoints, cards
using DeviceError = ErrorOf<Exit::device>;      // no such device, out of memory
using DivergedError = ErrorOf<Exit::diverged>;  // a loss that is not finite
using OutputError = ErrorOf<Exit::output>;      // a folder that cannot be written, a full disk

}  // namespace vaetl
