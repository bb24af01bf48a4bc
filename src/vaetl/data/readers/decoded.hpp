// Pictures read from files as datasets: held decoded where they fit into memory, otherwise decoded at every gather.
#pragma once
#include <string>
#include <vector>

#include "vaetl/data/readers/labelled_files.hpp"
#include "vaetl/data/readers/picture_fit.hpp"

namespace vaetl::readers {

struct DecodeOptions {
  std::uint64_t memory = std::uint64_t{1} << 31;  // bytes that decoded pictures may take
  bool check = true;                              // of pictures that do not fit: decode each once, to find damaged ones
};

// What `fit` leaves open is learnt: the number of channels (what all of the training part have; else RGB where any has
// colour) and the size. What cannot be decoded goes to `skips` in the order of the files, which does not depend on the
// number of threads. DataError: none left, or sizes that differ while `fit` asks for none.
//
// `info` is given the fields' shapes, and its reader what was learnt. The splits' checksums are of the values where
// they are held (data_sha256), otherwise of the lines "NAME SHA-256-OF-THE-FILE\n".
Splits decode_pictures(LabelledFiles found, PictureFit fit, const DecodeOptions& options, DatasetInfo info,
                       const std::string& where, Skips& skips);

}  // namespace vaetl::readers
