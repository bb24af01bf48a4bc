// A CSV list of examples: one row a file, its name relative to the list's folder, and a label.
//   file,kind
//   scans/001.png,dog
#pragma once
#include "vaetl/data/readers/example_files.hpp"

namespace vaetl::readers {

bool is_file_list(const std::filesystem::path& path);  // by its extension: .csv, .tsv, .tab, also before .gz

// In the order of the rows. The column of names is `search.files`, or the first; that of labels `search.target`, or
// none. Rows that cannot be read, without a label, or with a name that leads out of the folder go to `skips`.
// DataError: a column that is not there.
std::vector<ExampleFile> read_file_list(const std::filesystem::path& path, const FileSearch& search, Skips& skips);

// Whether a path, links followed, lies in a folder that is given in its canonical form.
bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace vaetl::readers
