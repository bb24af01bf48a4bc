#include "vaetl/io/safetensors_stream.hpp"

#include "vaetl/core/error.hpp"

namespace vaetl {

namespace st = safetensors;

SafetensorsStream::SafetensorsStream(const std::filesystem::path& path,
                                     const std::map<std::string, SafetensorsEntry>& tensors,
                                     const std::map<std::string, std::string>& metadata)
    : where_(path.string()), file_(path) {
  order_ = st::lay_out(tensors, where_);
  const std::string header = st::header_text(order_, metadata, where_);
  header_size_ = header.size();
  const std::uint64_t start = sizeof header_size_ + header_size_;
  file_.reserve(start + (order_.empty() ? 0 : order_.back().entry.end));
  for (const auto& [name, entry] : order_) places_[name] = {entry.dtype, start + entry.begin, start + entry.end};
}

void SafetensorsStream::append(const std::string& name, const at::Tensor& values) {
  Place& place = places_.at(name);
  const at::Tensor data = values.detach().resolve_neg().cpu().contiguous();
  if (data.scalar_type() != place.dtype || data.nbytes() > place.end - place.next) {
    throw Error(Exit::internal,
                {.where = st::tensor_place(where_, name),
                 .expected = fmt::format("{} as declared, {} bytes at most", c10::toString(place.dtype),
                                         place.end - place.next),
                 .found = fmt::format("{} in {} bytes", c10::toString(data.scalar_type()), data.nbytes())});
  }
  file_.write_at(place.next, data.const_data_ptr(), data.nbytes());
  place.next += data.nbytes();
}

void SafetensorsStream::commit(const std::map<std::string, std::string>& metadata) {
  for (const auto& [name, place] : places_) {
    if (place.next == place.end) continue;
    throw Error(Exit::internal, {.where = st::tensor_place(where_, name),
                                 .expected = "all of its values",
                                 .found = fmt::format("{} bytes less", place.end - place.next)});
  }
  const std::string header = st::header_text(order_, metadata, where_);
  if (header.size() != header_size_) {
    throw Error(Exit::internal, {.where = where_,
                                 .expected = fmt::format("metadata as long as announced: {} bytes", header_size_),
                                 .found = fmt::format("{}", header.size())});
  }
  st::write_header(file_, header);
  file_.commit();
}

}  // namespace vaetl
