#include "vaetl/data/readers/file_items.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::readers {
namespace {

class FileSource final : public Source {
 public:
  FileSource(std::vector<ExampleFile> files, at::Tensor labels, ReadFiles read, DatasetInfo info)
      : files_(std::move(files)), labels_(std::move(labels)), read_(std::move(read)), info_(std::move(info)) {}
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return std::ssize(files_); }
  bool decodes() const override { return true; }
  std::string name(std::int64_t i) const override { return files_[static_cast<std::size_t>(i)].where; }

  Fields gather(const at::Tensor& index) const override {
    const at::Tensor own = index.contiguous();
    const auto* positions = own.const_data_ptr<std::int64_t>();
    std::vector<const ExampleFile*> files;
    for (std::int64_t i = 0; i < own.size(0); ++i) files.push_back(&files_[static_cast<std::size_t>(positions[i])]);
    Fields fields = read_(files);
    if (labels_.defined()) fields.set("target", labels_.index_select(0, own));
    return fields;
  }

  at::Tensor column(const std::string& field) const override {
    return field == "target" && labels_.defined() ? labels_ : Source::column(field);
  }

 private:
  std::vector<ExampleFile> files_;
  at::Tensor labels_;
  ReadFiles read_;
  DatasetInfo info_;
};

}  // namespace

const char* name_of(Part part) {
  return part == Part::train ? "train" : part == Part::validation ? "validation" : "test";
}

Dataset read_at_gather(const std::vector<FileItem>& items, DatasetInfo info, Part part, bool labelled, ReadFiles read) {
  info.split = name_of(part);
  if (labelled) info.fields["target"] = {{}, at::kLong, 0, static_cast<double>(info.classes.size()) - 1};
  if (!labelled) info.classes.clear();
  std::string lines;
  std::vector<ExampleFile> files;
  for (const FileItem& item : items) {
    lines += fmt::format("{} {}\n", std::filesystem::path(item.file.where).filename().string(), item.sha256);
    files.push_back(item.file);
  }
  if (!items.empty()) info.sha256 = sha256_hex(lines);
  const at::Tensor labels = labelled ? labels_of(items) : at::Tensor();
  return Dataset(std::make_shared<FileSource>(std::move(files), labels, std::move(read), std::move(info)));
}

}  // namespace vaetl::readers
