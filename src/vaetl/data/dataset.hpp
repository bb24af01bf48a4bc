// Datasets: typed tensors plus what is known of them. Storage is behind Source; a Dataset is a cheap immutable handle
// with views. uint8 stays uint8 until the batch.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/json.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl {

// A field whose low equals its high declares no range. `target` as int64 of shape () holds labels 0 … high.
struct DatasetInfo {
  std::string name = {}, split = {}, licence = {};
  std::string sha256 = {};                       // data_sha256 of the whole as it was opened; views keep it
  std::map<std::string, FieldInfo> fields = {};  // input, target, …: every one there is
  std::vector<std::string> classes = {};         // names of the labels 0 … K−1; empty: none known
  // How files became these fields: the reader's name and options, completed with what it learnt from the training data
  // (columns, vocabulary). It travels with the weights, and further files are read by it. Null: nothing to repeat.
  Json reader = {};
  Json preprocess = {};      // specs that the reader recommends, to be fitted on the training data; null: none
  std::int64_t overlap = 0;  // example i shares values with the next so many (windows of a series): see hold_out
};

// Where examples live. gather() keeps the stored dtype; both may be called from several threads.
struct Source {
  virtual ~Source() = default;
  virtual const DatasetInfo& info() const = 0;
  virtual std::int64_t size() const = 0;
  virtual Fields gather(const at::Tensor& index) const = 0;  // index: int64 (N), each within 0 … size()−1
  // The largest run of neighbours whose examples are cheap to read in any order; 0: all of them. Feeds shuffle sets
  // that are larger by chunk, then within a window.
  virtual std::int64_t window() const { return 0; }
  // The `count` examples from `start` on will be gathered soon: a source with a window has their pages read meanwhile.
  virtual void expect(std::int64_t /*start*/, std::int64_t /*count*/) const {}
  virtual bool decodes() const { return false; }  // gather() costs more than copying: worth a thread of its own
  // What a person calls example i, such as its file; empty: nothing but its number.
  virtual std::string name(std::int64_t /*i*/) const { return {}; }
  // One field of every example. A source that has it in one piece returns that instead of a copy.
  virtual at::Tensor column(const std::string& field) const;
};

class Dataset {
 public:
  explicit Dataset(std::shared_ptr<const Source> source);
  // A user's own tensors, held and not copied: {"input": (N, …), "target": (N)}. Shapes and types are the tensors' own;
  // a range that `info` leaves open is 0 … 255 for uint8 and none for other types. Labels are integers (N): they become
  // int64 and must lie in 0 … K−1. DataError for unequal first dimensions, a declared shape that differs, labels
  // outside. A buffer is wrapped without a copy as well; it must live as long as the dataset:
  //
  //   std::vector<std::uint8_t> pixels = read_camera();              // count × 28 × 28
  //   Fields fields;
  //   fields.set("input", at::from_blob(pixels.data(), {count, 1, 28, 28}, at::kByte));
  //   auto data = Dataset::from_tensors(fields, {.name = "camera"});
  static Dataset from_tensors(Fields fields, DatasetInfo info = {});

  const DatasetInfo& info() const;
  std::int64_t size() const;
  std::int64_t classes()
      const;  // K: the names that `info` has, or the largest label of the whole + 1; 0 without labels
  bool has(const std::string& field) const;
  std::int64_t window() const { return source_->window(); }
  void expect(std::int64_t start, std::int64_t count) const { source_->expect(start, count); }
  bool decodes() const { return source_->decodes(); }
  Fields gather(const at::Tensor& index) const;       // int64 (N); DataError outside 0 … size()−1
  Fields all() const;                                 // may share memory with the source: not to be written to
  at::Tensor column(const std::string& field) const;  // likewise; DataError lists the fields there are
  std::string name(std::int64_t i) const;             // of an example: its file, or its number, counted from 1
  bool named() const;                                 // whether examples have names besides their numbers
  at::Tensor labels() const;                          // int64 (N); DataError where there are none

  Dataset select(const at::Tensor& index) const;  // int64 (M), or bool (N): those that are true
  // `count` examples of every class, drawn without replacement, in storage order; the same seed draws the same, and a
  // larger count contains the smaller one's. DataError names a class that has too few.
  Dataset take_per_class(std::int64_t count, std::uint64_t seed) const;
  // With the weight of its class as each example's "weight", float32 (N), times the one it has: what a mean over
  // examples weighs them by, Σ w l / Σ w, in training and scores alike. One weight for each of the K classes, or
  // balanced ones, Σ n / (K n_k), with n_k the weights of the examples of class k, or their number, and K of the
  // classes that have any: King and Zeng, Political Analysis 9, 2001, as scikit-learn's "balanced". ConfigError for
  // another number of weights and for negative ones, DataError without labels and where no example is left with a
  // weight.
  //
  //   Trainer(options).fit(model, make<objectives::CrossEntropy>(), rare.train.weigh_classes());
  Dataset weigh_classes(const std::vector<double>& weights = {}) const;  // none given: balanced
  Dataset with(std::string field, at::Tensor values) const;              // weights, cached features, teacher logits
  Dataset without(const std::string& field) const;                       // drop the labels, say
  Dataset with_names(std::vector<std::string> names) const;              // (N)
  Dataset described(DatasetInfo info) const;  // the same fields with another description of them

 private:
  std::shared_ptr<const Source> source_;
};

struct Splits {
  Dataset train, validation, test;  // validation is empty (size 0) unless carved from train
};

struct Parts {
  Dataset rest, held;
};
// Holds out a share of every class (of everything where there are no labels), at least one example of each; seeded.
// Where examples overlap it holds out the last ones instead, with a gap of info().overlap before them. DataError where
// a class has a single example.
Parts hold_out(const Dataset& data, double fraction, std::uint64_t seed);
// Fold `index` of `count` as held: stratified, seeded; the folds partition the data. DataError where a class has fewer
// examples than folds, or where examples overlap.
Parts fold(const Dataset& data, std::int64_t index, std::int64_t count, std::uint64_t seed);

// SHA-256 of what the data hold, as 64 hexadecimal digits: of the lines "FIELD DTYPE SHAPE SHA-256-OF-THE-VALUES\n" of
// all fields by name, the shape with N and the values in memory order. About 30 ms for 47 MB.
std::string data_sha256(const Dataset& data);

}  // namespace vaetl
