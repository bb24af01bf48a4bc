#include "vaetl/data/readers/file_list.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/io/csv.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

std::size_t column_named(const std::vector<std::string>& header, const std::string& name, const std::string& where) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  throw DataError({where, "a column " + quote(name), "only " + join(header), did_you_mean(name, header)});
}

struct Columns {
  std::size_t file = 0;
  std::optional<std::size_t> target = {};
  std::size_t count = 0;
};

Columns read_header(CsvReader& reader, const FileSearch& search, const std::string& where) {
  CsvRow row;
  if (!reader.next(row) || !row.flaw.empty()) {
    throw DataError({where, "a row with the columns' names", row.flaw.empty() ? "an empty file" : row.flaw, {}});
  }
  Columns columns;
  columns.count = row.values.size();
  if (!search.files.empty()) columns.file = column_named(row.values, search.files, where);
  if (!search.target.empty()) columns.target = column_named(row.values, search.target, where);
  return columns;
}

// Why the file may not be read; usually empty.
std::string flaw_of(const fs::path& name, const fs::path& path, const fs::path& real_folder) {
  const fs::path plain = name.lexically_normal();
  if (name.is_absolute() || plain.string().starts_with("..")) return "a path that leads out of it";
  std::error_code ignored;
  if (fs::exists(path, ignored) && !is_inside(path, real_folder)) return "a link that leads out of it";
  return {};
}

}  // namespace

bool is_inside(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return false;
  return std::mismatch(folder.begin(), folder.end(), real.begin(), real.end()).first == folder.end();
}

bool is_file_list(const fs::path& path) {
  const fs::path plain = path.extension() == ".gz" ? path.stem() : path;
  return plain.extension() == ".csv" || plain.extension() == ".tsv" || plain.extension() == ".tab";
}

std::vector<ExampleFile> read_file_list(const fs::path& path, const FileSearch& search, Skips& skips) {
  CsvReader reader(path, {.delimiter = delimiter_of(path)});
  const Columns columns = read_header(reader, search, path.string());
  const fs::path folder = path.parent_path();
  std::error_code ignored;
  const fs::path real = fs::canonical(folder.empty() ? "." : folder, ignored);
  std::vector<ExampleFile> files;
  for (CsvRow row; reader.next(row);) {
    const std::string where = fmt::format("{}:{}", path.string(), row.line);
    std::string flaw = row.flaw;
    if (flaw.empty() && row.values.size() != columns.count) flaw = fmt::format("{}", row.values.size());
    if (!flaw.empty()) {
      skips.add({where, fmt::format("{} values", columns.count), flaw, {}});
      continue;
    }
    const fs::path name = row.values[columns.file];
    ExampleFile file{.where = (folder / name).string(), .path = folder / name};
    if (columns.target) file.label = row.values[*columns.target];
    if (name.empty() || (file.label && file.label->empty())) {
      skips.add({where, name.empty() ? "the name of a file" : "a label", "an empty value", {}});
    } else if (const std::string out = flaw_of(name, file.path, real); !out.empty()) {
      skips.add({where, "a file within the folder of the list", fmt::format("{}, {}", quote(name.string()), out), {}});
    } else {
      files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace vaetl::readers
