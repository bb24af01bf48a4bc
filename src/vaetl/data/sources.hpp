// The sources behind Dataset's operations: tensors in memory or in a mapped file, a view of some examples, a field set
// or hidden, names.
#pragma once
#include <optional>

#include "vaetl/data/dataset.hpp"

namespace vaetl {

class TensorSource final : public Source {
 public:
  // `window`: where the tensors are a file's, mapped, and neighbours in it are cheap to read together.
  TensorSource(Fields fields, DatasetInfo info, std::int64_t size, std::int64_t window = 0)
      : fields_(std::move(fields)), info_(std::move(info)), size_(size), window_(window) {}
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return size_; }
  Fields gather(const at::Tensor& index) const override;
  std::int64_t window() const override { return window_; }
  void expect(std::int64_t start, std::int64_t count) const override;
  at::Tensor column(const std::string& field) const override { return fields_[field]; }

 private:
  Fields fields_;
  DatasetInfo info_;
  std::int64_t size_, window_;
};

// The examples `index` of another source, in that order.
class View final : public Source {
 public:
  // A view of a view is one view.
  static std::shared_ptr<const Source> of(const std::shared_ptr<const Source>& base, const at::Tensor& index);
  View(std::shared_ptr<const Source> base, at::Tensor index) : base_(std::move(base)), index_(std::move(index)) {}
  const DatasetInfo& info() const override { return base_->info(); }
  std::int64_t size() const override { return index_.size(0); }
  Fields gather(const at::Tensor& index) const override;
  std::int64_t window() const override { return base_->window(); }  // neighbours here are near each other there
  void expect(std::int64_t start, std::int64_t count) const override;
  bool decodes() const override { return base_->decodes(); }
  std::string name(std::int64_t i) const override { return base_->name(index_[i].item<std::int64_t>()); }
  at::Tensor column(const std::string& field) const override;

 private:
  std::shared_ptr<const Source> base_;
  at::Tensor index_;
};

// Another source as it is; what derives from it says in what it differs.
class Forwarding : public Source {
 public:
  explicit Forwarding(std::shared_ptr<const Source> base) : base_(std::move(base)) {}
  const DatasetInfo& info() const override { return base_->info(); }
  std::int64_t size() const override { return base_->size(); }
  Fields gather(const at::Tensor& index) const override { return base_->gather(index); }
  at::Tensor column(const std::string& field) const override { return base_->column(field); }
  std::int64_t window() const override { return base_->window(); }
  void expect(std::int64_t start, std::int64_t count) const override { base_->expect(start, count); }
  bool decodes() const override { return base_->decodes(); }
  std::string name(std::int64_t i) const override { return base_->name(i); }

 protected:
  const Source& base() const { return *base_; }

 private:
  std::shared_ptr<const Source> base_;
};

// Under a description of its own.
class Described final : public Forwarding {
 public:
  Described(std::shared_ptr<const Source> base, DatasetInfo info)
      : Forwarding(std::move(base)), info_(std::move(info)) {}
  const DatasetInfo& info() const override { return info_; }

 private:
  DatasetInfo info_;
};

// With names for its examples.
class Named final : public Forwarding {
 public:
  Named(std::shared_ptr<const Source> base, std::vector<std::string> names)
      : Forwarding(std::move(base)), names_(std::move(names)) {}
  std::string name(std::int64_t i) const override { return names_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<std::string> names_;
};

// With one field set to `values`, or hidden where there are none.
class Overlay final : public Forwarding {
 public:
  Overlay(std::shared_ptr<const Source> base, DatasetInfo info, std::string field, std::optional<at::Tensor> values)
      : Forwarding(std::move(base)), info_(std::move(info)), field_(std::move(field)), values_(std::move(values)) {}
  const DatasetInfo& info() const override { return info_; }
  Fields gather(const at::Tensor& index) const override;
  at::Tensor column(const std::string& field) const override;

 private:
  DatasetInfo info_;
  std::string field_;
  std::optional<at::Tensor> values_;
};

}  // namespace vaetl
