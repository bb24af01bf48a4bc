#include "vaetl/train/features.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/data/transforms/mapping.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/nn/taps.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t most_extracted_bytes = std::int64_t{8} << 30;

// (N) of an output (N, T, F); undefined: all steps count.
at::Tensor lengths_of_steps(const Fields& fields, std::int64_t steps) {
  if (fields.has("length")) return nn::lengths_of(fields, steps, "features");
  const at::Tensor& x = fields.input();
  const bool ids = x.dim() == 2 && x.scalar_type() == at::kLong;
  return ids ? nn::lengths_of_ids(x).clamp_min(1) : at::Tensor();
}

at::Tensor pool_steps(const at::Tensor& output, const Fields& fields, const std::string& pool) {
  const at::Tensor lengths = lengths_of_steps(fields, output.size(1));
  if (pool == "last") return nn::last_step(output, lengths);
  if (!lengths.defined()) return output.mean(1);
  const at::Tensor counted = output * nn::before_end(lengths, output.size(1)).unsqueeze(2);
  return counted.sum(1) / lengths.unsqueeze(1);
}

at::Tensor pooled(const at::Tensor& output, const Fields& fields, const std::string& pool) {
  if (output.dim() == 2 || pool == "flatten") return output.flatten(1);
  return output.dim() == 3 ? pool_steps(output, fields, pool) : output.flatten(2).mean(2);
}

at::Tensor features_of(Pass& pass, const nn::Taps& taps, const FeatureOptions& options) {
  if (options.groups.empty()) return pass.features();
  pass.features();
  std::vector<at::Tensor> parts;
  for (const std::string& group : taps.groups()) parts.push_back(pooled(taps[group], pass.fields(), options.pool));
  return at::cat(parts, 1);
}

at::Tensor room_for(std::int64_t examples, std::int64_t features) {
  if (features > 0 && examples > most_extracted_bytes / static_cast<std::int64_t>(sizeof(float)) / features) {
    throw DataError({"features", "at most 8 GiB of them", fmt::format("{} examples of {} each", examples, features),
                     "pool them by the mean, or choose fewer layer groups or examples"});
  }
  return at::empty({examples, features});
}

void add_tensor(Sha256& sha, const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  sha.update(fmt::format("{} {} {}\n", name, dtype_name(values.scalar_type()), shape_text(values.sizes().vec())));
  sha.update(values.const_data_ptr(), values.nbytes());
}

// Everything that the features depend on.
std::string key_of(const Model& model, const Dataset& data, const FeatureOptions& options) {
  Sha256 sha;
  sha.update(model.spec().name + model.spec().options.dump() + model.preprocess().dump());
  for (const auto& [name, tensor] : state(model)) add_tensor(sha, name, tensor);
  Json json = to_json(options);
  json.erase("batch_size");
  sha.update(json.dump() + data_sha256(data));
  return sha.hex();
}

}  // namespace

Dataset extract(Model& model, const Pipeline& data, const FeatureOptions& options) {
  require<Encoder>(model, "features");
  const Dataset& examples = data.streams.at(0).data;
  const nn::Taps taps(model, options.groups, "features.groups");
  at::Tensor features;
  std::int64_t done = 0;
  visit(
      model, data,
      [&](Pass& pass) {
        const at::Tensor batch = features_of(pass, taps, options);
        if (!features.defined()) features = room_for(examples.size(), batch.size(1));
        features.narrow(0, done, batch.size(0)).copy_(batch);
        done += batch.size(0);
      },
      options.batch_size);
  return examples.with("features", features);
}

Dataset FeatureCache::extract(Model& model, const Dataset& data, const FeatureOptions& options) {
  const std::string key = key_of(model, data, options);
  if (const auto known = known_.find(key); known != known_.end()) return data.with("features", known->second);
  const std::filesystem::path file = folder_.empty() ? folder_ : folder_ / (key + ".safetensors");
  if (!file.empty() && std::filesystem::exists(file)) {
    const auto tensors = read_safetensors(file).tensors;
    const auto found = tensors.find("features");
    if (found != tensors.end() && found->second.dim() == 2 && found->second.size(0) == data.size()) {
      return data.with("features", found->second);
    }
  }
  const Dataset result = vaetl::extract(model, data, options);
  if (file.empty()) {
    known_[key] = result.column("features");
  } else {
    make_folder(folder_);
    write_safetensors(file, {{"features", result.column("features")}});
  }
  return result;
}

namespace {

// Whoever reads further files for the model reads them as these were read: what the source learnt of its own, tokens
// and columns, was handed on when they were opened; names of classes are theirs.
Json read_as_these(Json preprocess, const Json& reader) {
  if (reader.is_null()) return preprocess;
  const bool told = !preprocess.empty() && preprocess[0].value("name", "") == transforms::Read::name;
  const Json read{{"name", transforms::Read::name}, {"reader", reader}};
  if (told) {
    preprocess[0] = read;
  } else {
    preprocess.insert(preprocess.begin(), read);
  }
  return preprocess;
}

}  // namespace

Preprocess fit_preprocess(Model& model, const Pipeline& data) {
  const Dataset& train = data.streams.at(0).data;
  Preprocess preprocess;
  if (!data.preprocess.empty()) {
    preprocess = Preprocess::fit(data.preprocess, train);
  } else if (!model.preprocess().is_null()) {
    preprocess = Preprocess::from_json(read_as_these(model.preprocess(), train.info().reader));
  } else {
    preprocess = Preprocess::standard(train, model.signature());
  }
  model.set_preprocess(preprocess.json());
  return preprocess;
}

}  // namespace vaetl
