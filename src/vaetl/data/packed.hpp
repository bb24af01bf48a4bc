// Packed files: whole sets in one file that is mapped, not read, so that sets larger than memory open at once and train
// from where they lie. "packed:FILE" opens one (data/readers/packed.hpp).
//
// A packed file is a safetensors file (io/safetensors.hpp) with tensors SPLIT.FIELD, SPLIT one of train, validation and
// test, FIELD such as input and target, all of a split with the same first dimension N. That is enough: a program in
// any language can write one. Metadata say more, each by itself may be missing:
//
//   vaetl.packed         "1", the version of this form
//   vaetl.info.SPLIT     JSON: {"name", "licence", "sha256", "classes": [name, …], "fields": {FIELD: {"shape", "dtype",
//                        "low", "high"}}, "reader": spec, "preprocess": [spec, …], "overlap"}, as DatasetInfo; a key
//                        may be missing
//   vaetl.sums.SPLIT.FIELD  SHA-256 of each 64 MiB of the tensor, the last may be shorter: 64 digits each, one after
//                        the other
//   vaetl.header         SHA-256 of all the rest of the header: see header_digest()
//
// From Python:
//
//   safetensors.numpy.save_file({"train.input": x, "train.target": y}, "set.safetensors",
//                               {"vaetl.info.train": json.dumps({"classes": ["cat", "dog"]})})
#pragma once
#include <filesystem>
#include <functional>
#include <vector>

#include "vaetl/core/error.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::data {

using Packing = std::function<void(std::int64_t done, std::int64_t all)>;  // examples

// Writes every split that has examples into one file, part by part: memory stays bounded whatever the size. The file
// appears, complete, at the end. DataError where there are no examples, OutputError where the file cannot be written (a
// full disk) and nothing is left of it.
void pack(const Splits& splits, const std::filesystem::path& file, const Packing& progress = {});
void pack(const Dataset& train, const std::filesystem::path& file, const Packing& progress = {});

// What a packed file's own checksums say of it.
struct PackedCheck {
  std::int64_t sums = 0;              // compared; 0: the file has none
  std::vector<Problem> damaged = {};  // one for each that differs: which examples of which field lie there
};

// Reads all of it. DataError where it is no packed file.
PackedCheck verify_packed(const std::filesystem::path& file);

namespace packed {

// What writer and reader share. Errors are DataErrors.
constexpr const char* version_key = "vaetl.packed";
constexpr const char* header_key = "vaetl.header";
constexpr std::uint64_t sum_bytes = std::uint64_t{1} << 26;

std::string info_key(const std::string& split);
std::string sums_key(const std::string& tensor);
std::string write_info(const DatasetInfo& info);
// `text` on top of `info`: what it does not say stays.
DatasetInfo read_info(const std::string& text, DatasetInfo info, const std::string& where);

// SHA-256 of lines, by name: "NAME DTYPE SHAPE\n" of the tensors, then "KEY=VALUE\n" of the metadata but this digest.
std::string header_digest(const SafetensorsHeader& header);
// The header, checked against its digest where it has one.
SafetensorsHeader read_header(const std::filesystem::path& file);

}  // namespace packed
}  // namespace vaetl::data
