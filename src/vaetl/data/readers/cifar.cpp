#include "vaetl/data/readers/cifar.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/io/archive.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t values = 3 * 32 * 32;
constexpr std::uint64_t largest_cifar_file = std::uint64_t{1} << 29;

struct Batch {
  std::string where, name, bytes;  // the name without .gz and the like
  bool test = false;
};

struct Form {
  std::int64_t label_bytes = 1, column = 0, classes = 10;  // of each record; the label that counts; how many there are
};

const std::vector<std::string> ten_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                            "dog",      "frog",       "horse", "ship", "truck"};

std::string plain_name(const fs::path& path) {
  const std::set<std::string> wrappings = {".gz", ".bz2", ".xz", ".zst"};
  return (wrappings.contains(path.extension().string()) ? path.stem() : path.filename()).string();
}

bool is_ten(const std::string& name) { return glob_match("data_batch_*.bin", name) || name == "test_batch.bin"; }
bool is_hundred(const std::string& name) { return name == "train.bin" || name == "test.bin"; }
bool is_test(const std::string& name) { return name == "test_batch.bin" || name == "test.bin"; }
bool is_wanted(const std::string& name) {
  return is_ten(name) || is_hundred(name) || name == "batches.meta.txt" || name == "fine_label_names.txt" ||
         name == "coarse_label_names.txt";
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with('.')) paths.push_back(it->path());
  }
  if (error) throw DataError({folder.string(), "a folder that can be read", quote(error.message()), {}});
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<Batch> read_folder(const fs::path& folder, bool look_through) {
  std::vector<Batch> batches;
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto& path : entries_of(folder)) {
    if (fs::is_directory(path, ignored)) {
      folders.push_back(path);
    } else if (is_wanted(plain_name(path))) {
      const std::string name = plain_name(path);
      batches.push_back({path.string(), name, read_unpacked(path, largest_cifar_file), is_test(name)});
    }
  }
  if (batches.empty() && look_through && folders.size() == 1) return read_folder(folders[0], false);
  return batches;
}

std::vector<Batch> read_archive(const fs::path& path) {
  std::vector<Batch> batches;
  ArchiveReader archive(path, {.member_bytes = largest_cifar_file});
  for (ArchiveMember member; archive.next(member);) {
    const std::string name = fs::path(member.name).filename().string();
    if (member.folder || !is_wanted(name)) continue;
    const std::string where = path.string() + ":" + member.name;
    if (!member.flaw.empty()) throw DataError({where, "a file that can be read", member.flaw, {}});
    batches.push_back({where, name, {}, is_test(name)});
    if (auto problem = archive.read(batches.back().bytes)) throw DataError(*std::move(problem));
  }
  std::sort(batches.begin(), batches.end(), [](const Batch& a, const Batch& b) { return a.where < b.where; });
  return batches;
}

std::vector<Batch> read_any(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw DataError({path.string(), "CIFAR's binary files", "nothing there", "check the path"});
  }
  if (fs::is_directory(path, ignored)) return read_folder(path, true);
  const std::string name = plain_name(path);
  if (name.ends_with(".bin")) return {{path.string(), name, read_unpacked(path, largest_cifar_file), is_test(name)}};
  return read_archive(path);
}

// The files of `path`, with those of `test` for its test split.
std::vector<Batch> with_test(const fs::path& path, const std::string& test) {
  std::error_code ignored;
  std::vector<Batch> batches = read_any(path);
  std::erase_if(batches, [](const Batch& batch) { return batch.test; });
  for (Batch& batch : read_any((fs::is_directory(path, ignored) ? path : path.parent_path()) / test)) {
    batch.test = true;
    batches.push_back(std::move(batch));
  }
  return batches;
}

bool is_records(const Batch& batch) { return batch.name.ends_with(".bin"); }

// CIFAR-100 by the files' names; a file of another name by its size.
bool holds_hundred(const std::vector<Batch>& batches, const fs::path& path) {
  const bool ten = std::any_of(batches.begin(), batches.end(), [](const Batch& b) { return is_ten(b.name); });
  const bool hundred = std::any_of(batches.begin(), batches.end(), [](const Batch& b) { return is_hundred(b.name); });
  if (ten && hundred) {
    throw DataError(
        {path.string(), "files of one set", "those of CIFAR-10 and CIFAR-100", "give each set a folder of its own"});
  }
  if (ten || hundred) return hundred;
  const auto bytes = static_cast<std::int64_t>(batches.empty() ? 0 : batches[0].bytes.size());
  return bytes % (values + 1) != 0 && bytes % (values + 2) == 0;
}

Fields read_records(const Batch& batch, const Form& form, Skips& skips) {
  const std::int64_t record = form.label_bytes + values, size = std::ssize(batch.bytes);
  if (size == 0 || size % record != 0) {
    throw DataError({batch.where, fmt::format("whole records of {} bytes", record), fmt::format("{} bytes", size),
                     "fetch or copy the file again"});
  }
  const at::Tensor all =
      at::from_blob(const_cast<char*>(batch.bytes.data()), {size / record, record}, at::TensorOptions(at::kByte));
  at::Tensor labels = all.select(1, form.column).to(at::kLong);
  at::Tensor images = all.narrow(1, form.label_bytes, values);
  const at::Tensor bad = labels.ge(form.classes).nonzero().squeeze(1);
  for (std::int64_t i = 0; i < bad.size(0); ++i) {
    const auto at = bad[i].item<std::int64_t>();
    skips.add({fmt::format("{}, record {}", batch.where, at),
               fmt::format("a label below {}", form.classes),
               fmt::format("{}", labels[at].item<std::int64_t>()),
               {}});
  }
  if (bad.size(0) > 0) {
    const at::Tensor good = labels.lt(form.classes).nonzero().squeeze(1);
    labels = labels.index_select(0, good);
    images = images.index_select(0, good);
  }
  Fields fields;
  fields.set("input", images.reshape({-1, 3, 32, 32}).clone());
  fields.set("target", labels);
  return fields;
}

Fields read_split(const std::vector<Batch>& batches, const Form& form, bool test, Skips& skips) {
  std::vector<at::Tensor> images = {at::empty({0, 3, 32, 32}, at::kByte)}, labels = {at::empty({0}, at::kLong)};
  for (const Batch& batch : batches) {
    if (!is_records(batch) || batch.test != test) continue;
    const Fields part = read_records(batch, form, skips);
    images.push_back(part.input());
    labels.push_back(part.target());
  }
  Fields fields;
  fields.set("input", images.size() == 2 ? images[1] : at::cat(images));
  fields.set("target", at::cat(labels));
  return fields;
}

std::vector<std::string> class_names(const std::vector<Batch>& batches, const Form& form) {
  const char* file = form.classes == 10    ? "batches.meta.txt"
                     : form.classes == 100 ? "fine_label_names.txt"
                                           : "coarse_label_names.txt";
  for (const Batch& batch : batches) {
    if (batch.name != file) continue;
    std::vector<std::string> names;
    std::istringstream lines(batch.bytes);
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) names.push_back(line);
    }
    if (std::ssize(names) == form.classes) return names;
    throw DataError(
        {batch.where, fmt::format("{} names of classes", form.classes), fmt::format("{}", names.size()), {}});
  }
  return form.classes == 10 ? ten_names : numbered_classes(form.classes);
}

}  // namespace

void Cifar::Options::validate() const {
  if (test.empty() || test_share == 0) return;
  throw ConfigError({"cifar.test_share", "0 beside test", fmt::format("{}", test_share), {}});
}

Splits Cifar::open(const fs::path& path, const Reading& reading) const {
  const std::vector<Batch> batches = options_.test.empty() ? read_any(path) : with_test(path, options_.test);
  if (std::none_of(batches.begin(), batches.end(), is_records)) {
    throw DataError(
        {path.string(), "data_batch_*.bin and test_batch.bin, or train.bin and test.bin", "none of them", {}});
  }
  Form form;
  if (holds_hundred(batches, path)) {
    const bool coarse = options_.labels == "coarse";
    form = {2, coarse ? 0 : 1, coarse ? 20 : 100};
  } else if (options_.labels != "fine") {
    throw ConfigError({"cifar.labels", "fine: CIFAR-10 has one label", quote(options_.labels), {}});
  }
  Skips skips(reading);
  Fields train = read_split(batches, form, false, skips), test = read_split(batches, form, true, skips);
  skips.check_left(train.size() + test.size(), path.string());
  DatasetInfo info = reading.about;
  if (std::ssize(info.classes) != form.classes) info.classes = class_names(batches, form);
  if (form.label_bytes == 2) info.reader = {{"name", name}, {"labels", options_.labels}};
  const Dataset training = make_split(std::move(train), info, "train"),
                testing = make_split(std::move(test), info, "test");
  if (testing.size() == 0 && options_.test_share > 0) return split_off(training, options_.test_share);
  return {training, none_of(training, "validation"), testing};
}

}  // namespace vaetl::readers
