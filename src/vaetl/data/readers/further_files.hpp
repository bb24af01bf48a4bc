// Further examples that are files: found below a folder, or named one a line, and decoded some at a time.
#pragma once
#include <functional>

#include "vaetl/data/further.hpp"
#include "vaetl/data/readers/example_files.hpp"
#include "vaetl/data/readers/picture_fit.hpp"

namespace vaetl::readers {

// The fields of one example, without N; called from several threads. DataError for a file that is none.
using ReadOne = std::function<Fields(const ExampleFile& file)>;

// One file, whatever its name; those of a folder and below, sorted by their names; or those that a descriptor names.
std::unique_ptr<FurtherStream> further_files(const Place& place, const FileKind& kind, ReadOne read);

// Pictures made to fit. `shape`, (C, H, W), is what they must have then: −1 for any size; empty: `fit` sees to it.
std::unique_ptr<FurtherStream> further_pictures(const Place& place, const PictureFit& fit,
                                                const std::vector<std::int64_t>& shape = {});

}  // namespace vaetl::readers
