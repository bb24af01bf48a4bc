// Files that a person has as examples that a trained model reads, however many there are.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "vaetl/data/further.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

// Files, folders and "-", the standard input, one after the other. They are read as the training data were, which the
// weights tell: rows of a table, lines of text, pictures, sound, series. A model of pictures whose data were no files
// reads PNG and JPEG files of its own size. FILE.npy and FILE.safetensors (packed) hold raw values for any model.
// What cannot be read is told with the examples; where it is all there is, the stream throws the DataError. DataError:
// a model that reads nothing of that kind.
std::unique_ptr<FurtherStream> open_further(const Model& model, const std::vector<std::string>& files);

// The examples of a dataset, by their number.
std::unique_ptr<FurtherStream> open_further(const Dataset& data);

}  // namespace vaetl::recipe
