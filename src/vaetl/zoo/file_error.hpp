// What the content of a file makes others throw is the file's fault: one FileError that begins with the file.
#pragma once
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "vaetl/core/error.hpp"

namespace vaetl::zoo {

template <class Use>
auto blame(const std::string& file, Use&& use) {
  try {
    return std::forward<Use>(use)();
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    Problem problem = error.problem;
    problem.where = problem.where.empty() ? file : file + ": " + problem.where;
    throw FileError(std::move(problem));
  } catch (const std::exception& error) {  // LibTorch's, whose later lines are a backtrace
    const std::string_view text = error.what();
    throw FileError({file, "a model that computes", std::string(text.substr(0, text.find('\n'))), {}});
  }
}

}  // namespace vaetl::zoo
