#include "vaetl/recipe/further.hpp"

#include <unistd.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/readers/further_files.hpp"
#include "vaetl/recipe/pixels.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

Preprocess preprocess_for(const Model& model) {
  return model.preprocess().is_null() ? Preprocess() : Preprocess::from_json(model.preprocess());
}

// The reader of the training data, where it reads further files; null: there is none.
std::shared_ptr<Reader> further_reader(const Json& told) {
  if (!told.is_object() || !registry<Reader>().has(told.value("name", ""))) return nullptr;
  Json options = told;
  options.erase("name");
  const auto reader = registry<Reader>().make({told.at("name"), options}, "preprocess");
  return dynamic_cast<const ReadsFurther*>(reader.get()) == nullptr ? nullptr : reader;
}

bool is_picture(const std::vector<std::int64_t>& shape) {
  return shape.size() == 3 && (shape[0] == 1 || shape[0] == 3 || shape[0] == 4);
}

// Pixels of files as the values that a model's data were.
class InRange final : public FurtherStream {
 public:
  InRange(std::unique_ptr<FurtherStream> pixels, Range range) : pixels_(std::move(pixels)), range_(range) {}
  bool next(std::int64_t count, FurtherExamples& examples) override {
    if (!pixels_->next(count, examples)) return false;
    if (examples.names.empty()) return true;
    const at::Tensor share = examples.fields.input().to(at::kFloat).div_(255);
    examples.fields.set("input", share * (range_.high - range_.low) + range_.low);
    return true;
  }

 private:
  std::unique_ptr<FurtherStream> pixels_;
  Range range_;
};

// Arrays of numbers that a model of bytes would see as black are doubted aloud.
class Doubted final : public FurtherStream {
 public:
  Doubted(std::unique_ptr<FurtherStream> arrays, std::string where, Range range)
      : arrays_(std::move(arrays)), where_(std::move(where)), range_(range) {}
  bool next(std::int64_t count, FurtherExamples& examples) override {
    if (!arrays_->next(count, examples)) return false;
    if (std::exchange(looked_, true) || examples.names.empty()) return true;
    const at::Tensor& input = examples.fields.input();
    if (!input.is_floating_point() || input.min().item<double>() < 0 || input.max().item<double>() > 1) return true;
    examples.notes.push_back(
        {where_, fmt::format("values from {:g} to {:g}, as the model was trained on", range_.low, range_.high),
         "values from 0 to 1", fmt::format("multiply them by {:g}", range_.high)});
    return true;
  }

 private:
  std::unique_ptr<FurtherStream> arrays_;
  std::string where_;
  Range range_;
  bool looked_ = false;
};

std::unique_ptr<FurtherStream> arrays_for(const Model& model, const Place& place,
                                          const std::vector<std::int64_t>& shape) {
  auto arrays = further_arrays(place, shape);
  const Range range = sees_pictures(model) ? pixel_range(model) : Range{};
  if (range.low != 0 || range.high < 2) return arrays;
  return std::make_unique<Doubted>(std::move(arrays), place.name(), range);
}

std::unique_ptr<FurtherStream> pictures_for(const Model& model, const Place& place,
                                            const std::vector<std::int64_t>& shape) {
  auto pixels = readers::further_pictures(place, {.channels = shape[0]}, shape);
  const Range range = pixel_range(model);
  if (range.low == 0 && range.high == 255) return pixels;
  return std::make_unique<InRange>(std::move(pixels), range);
}

// Several places, one after the other.
class FurtherPlaces final : public FurtherStream {
 public:
  FurtherPlaces(const Model& model, std::vector<Place> places) : model_(model), places_(std::move(places)) {
    const auto input = model.signature().inputs.find("input");
    if (input != model.signature().inputs.end()) seen_ = model.signature().inputs.at("input").shape;
    const Preprocess preprocess = preprocess_for(model);
    shape_ = preprocess.raw_shape(seen_).value_or(std::vector<std::int64_t>());
    reader_ = further_reader(preprocess.reader());
  }

  bool next(std::int64_t count, FurtherExamples& examples) override {
    examples = {};
    try {
      while (stream_ != nullptr || at_ < places_.size()) {
        if (stream_ == nullptr) stream_ = open(places_[at_++]);
        if (stream_->next(count, examples)) {
          delivered_ = true;
          return true;
        }
        stream_.reset();
      }
    } catch (const DataError& error) {
      if (places_.size() == 1 && !delivered_) throw;
      stream_.reset();
      examples = {};
      examples.problems.push_back(error.problem);
      return true;
    }
    return false;
  }

 private:
  std::unique_ptr<FurtherStream> open(const Place& place) const {
    if (place.descriptor < 0 && holds_arrays(place.path)) return arrays_for(model_, place, shape_);
    if (reader_ != nullptr) return dynamic_cast<const ReadsFurther&>(*reader_).further(place);
    if (is_picture(shape_)) return pictures_for(model_, place, shape_);
    throw DataError({place.name(), "a file FILE.npy of " + batch_shape_text(shape_) + ", as the model reads",
                     place.descriptor < 0 ? "another" : "a stream", "or name the data by --data KIND:PATH"});
  }

  const Model& model_;
  std::vector<Place> places_;
  std::vector<std::int64_t> seen_, shape_;  // of one example: what the model sees, what is stored
  std::shared_ptr<Reader> reader_;
  std::unique_ptr<FurtherStream> stream_;
  std::size_t at_ = 0;
  bool delivered_ = false;
};

}  // namespace

std::unique_ptr<FurtherStream> open_further(const Model& model, const std::vector<std::string>& files) {
  std::vector<Place> places;
  for (const std::string& file : files) {
    Place place;
    if (file == "-") place.descriptor = STDIN_FILENO;
    if (file != "-") place.path = file;
    if (files.size() > 1) place.prefix = (file == "-" ? place.name() : file) + ":";
    places.push_back(std::move(place));
  }
  return std::make_unique<FurtherPlaces>(model, std::move(places));
}

std::unique_ptr<FurtherStream> open_further(const Dataset& data) {
  return further_of(data, {.path = data.info().name});
}

}  // namespace vaetl::recipe
