#include <fmt/ranges.h>

#include <bit>
#include <cerrno>
#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"
#include "vaetl/io/safetensors_format.hpp"

namespace vaetl::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and mapped as it lies");

constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void fail(std::string where, std::string expected, std::string found) {
  throw FileError({.where = std::move(where), .expected = std::move(expected), .found = std::move(found)});
}

// One pass over the JSON, without a document in memory: whatever is not the format's shape is refused where it stands,
// so depth and size stay bounded by the rules themselves.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& where) : header_(header), where_(where) {}

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a boolean"); }
  bool number_integer(number_integer_t value) override { return refuse(value == 0 ? "-0" : fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { return refuse(in_quotes(text)); }
  bool binary(binary_t&) override { return refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (level_ == Level::shape) return add_dimension(value);
    if (level_ == Level::offsets) return add_offset(value);
    return refuse(fmt::format("{}", value));
  }

  bool string(string_t& value) override {
    if (level_ == Level::metadata) return add_metadata(value);
    if (level_ == Level::field && key_ == "dtype") return set_dtype(value);
    return refuse("the string " + in_quotes(value));
  }

  bool key(string_t& value) override {
    if (level_ == Level::top) return start_tensor(value);
    if (level_ == Level::tensor) return start_field(value);
    if (header_.metadata.contains(value)) {
      fail(where_, "each key of __metadata__ once", in_quotes(value) + " twice");
    }
    key_ = value;
    return true;
  }

  bool start_object(std::size_t) override {
    switch (level_) {
      case Level::document:
        level_ = Level::top;
        return true;
      case Level::entry:
        level_ = in_metadata_ ? Level::metadata : Level::tensor;
        return true;
      default:
        return refuse("an object");
    }
  }

  bool end_object() override {
    if (level_ == Level::tensor) finish_tensor();
    level_ = level_ == Level::top ? Level::document : Level::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::field || key_ == "dtype") return refuse("an array");
    level_ = key_ == "shape" ? Level::shape : Level::offsets;
    return true;
  }

  bool end_array() override {
    if (level_ == Level::offsets && offsets_.size() != 2) {
      fail(place(), "data_offsets of 2 numbers", fmt::format("{}", offsets_.size()));
    }
    level_ = Level::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail(where_, "a header of valid UTF-8 JSON", fmt::format("a mistake at byte {} of it", position));
  }

 private:
  enum class Level { document, top, entry, metadata, tensor, field, shape, offsets };

  std::string place() const { return tensor_place(where_, name_); }

  bool refuse(std::string found) const {
    switch (level_) {
      case Level::document:
        fail(where_, "a header that is a JSON object", std::move(found));
      case Level::metadata:
        fail(where_, fmt::format("a string for {} of __metadata__", in_quotes(key_)), std::move(found));
      case Level::field:
        fail(place(), key_ == "dtype" ? "dtype as a string" : key_ + " as an array", std::move(found));
      case Level::shape:
        fail(place(), "shape of whole numbers from 0", std::move(found));
      case Level::offsets:
        fail(place(), "data_offsets of whole numbers from 0", std::move(found));
      default:
        fail(in_metadata_ ? where_ + ": __metadata__" : place(), "an object", std::move(found));
    }
  }

  bool start_tensor(const std::string& name) {
    level_ = Level::entry;
    name_ = name;
    in_metadata_ = name == metadata_key;
    if (in_metadata_) {
      if (std::exchange(seen_metadata_, true)) fail(where_, "__metadata__ once", "it twice");
      return true;
    }
    if (name.empty()) fail(where_, "tensors with names", "an empty name");
    if (header_.tensors.contains(name)) fail(where_, "each tensor once", in_quotes(name) + " twice");
    if (header_.tensors.size() == max_tensors) {
      fail(where_, fmt::format("at most {} tensors", max_tensors), fmt::format("at least {}", max_tensors + 1));
    }
    entry_ = &header_.tensors[name];
    seen_.clear();
    offsets_.clear();
    return true;
  }

  bool start_field(const std::string& field) {
    if (field != "dtype" && field != "shape" && field != "data_offsets") {
      fail(place(), "only dtype, shape and data_offsets", "the key " + in_quotes(field));
    }
    if (!seen_.insert(field).second) fail(place(), field + " once", "it twice");
    level_ = Level::field;
    key_ = field;
    return true;
  }

  bool set_dtype(const std::string& name) {
    const Dtype* dtype = find_dtype(name);
    if (dtype == nullptr) fail(place(), "a dtype out of " + dtype_names(), in_quotes(name));
    entry_->dtype = dtype->type;
    level_ = Level::tensor;
    return true;
  }

  bool add_dimension(std::uint64_t value) {
    if (value > largest) fail(place(), fmt::format("dimensions up to {}", largest), fmt::format("{}", value));
    if (entry_->shape.size() == max_dimensions) {
      fail(place(), fmt::format("at most {} dimensions", max_dimensions), "more");
    }
    entry_->shape.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool add_offset(std::uint64_t value) {
    if (offsets_.size() == 2) fail(place(), "data_offsets of 2 numbers", "more");
    offsets_.push_back(value);
    return true;
  }

  bool add_metadata(const std::string& value) {
    header_.metadata.emplace(key_, value);
    return true;
  }

  void finish_tensor() {
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!seen_.contains(field)) fail(place(), "dtype, shape and data_offsets", std::string("no ") + field);
    }
    entry_->begin = offsets_[0];
    entry_->end = offsets_[1];
  }

  SafetensorsHeader& header_;
  const std::string& where_;
  Level level_ = Level::document;
  bool in_metadata_ = false, seen_metadata_ = false;
  std::string name_, key_;
  SafetensorsEntry* entry_ = nullptr;
  std::set<std::string> seen_;
  std::vector<std::uint64_t> offsets_;
};

std::string describe(const SafetensorsEntry& entry) {
  return fmt::format("{} [{}]", find_dtype(entry.dtype)->name, fmt::join(entry.shape, ", "));
}

// The bytes that dtype and shape ask for. Dimensions of 0 count as 1 in the check of the range, as they do in strides.
std::uint64_t required_bytes(const SafetensorsEntry& entry, const std::string& place) {
  std::uint64_t bound = find_dtype(entry.dtype)->bytes;
  bool empty = false;
  for (const std::int64_t dimension : entry.shape) {
    empty = empty || dimension == 0;
    if (__builtin_mul_overflow(bound, static_cast<std::uint64_t>(std::max<std::int64_t>(dimension, 1)), &bound) ||
        bound > largest) {
      fail(place, fmt::format("a size up to {} bytes", largest), "more for " + describe(entry));
    }
  }
  return empty ? 0 : bound;
}

void check_entry(const std::string& place, const SafetensorsEntry& entry, std::uint64_t data_size) {
  const auto offsets = fmt::format("[{}, {}]", entry.begin, entry.end);
  if (entry.begin > entry.end) fail(place, "data_offsets that do not decrease", offsets);
  if (entry.end > data_size) {
    fail(place, fmt::format("data_offsets within the {} bytes of data", data_size), offsets);
  }
  const std::uint64_t required = required_bytes(entry, place);
  if (entry.end - entry.begin != required) {
    fail(place, fmt::format("{} bytes for {}", required, describe(entry)),
         fmt::format("{} by data_offsets {}", entry.end - entry.begin, offsets));
  }
}

// In the order of their offsets the tensors must follow each other without a gap, from the first byte to the last.
void check_cover(const SafetensorsHeader& header, const std::string& where) {
  using Item = std::pair<const std::string, SafetensorsEntry>;
  std::vector<const Item*> order;
  for (const auto& item : header.tensors) order.push_back(&item);
  std::sort(order.begin(), order.end(), [](const Item* a, const Item* b) {
    return std::tie(a->second.begin, a->second.end) < std::tie(b->second.begin, b->second.end);
  });
  std::uint64_t next = 0;
  for (const Item* item : order) {
    const std::uint64_t begin = item->second.begin;
    if (begin != next) {
      fail(tensor_place(where, item->first),
           fmt::format("data from byte {} on ({})", next, begin < next ? "no overlap" : "no hole"),
           fmt::format("{}", begin));
    }
    next = item->second.end;
  }
  if (next != header.data_size) {
    fail(where, fmt::format("tensors that cover all {} bytes of data", header.data_size), fmt::format("{}", next));
  }
}

void check_padding(std::string_view json, const std::string& where) {
  if (json.empty() || json.front() != '{') fail(where, "a header that begins with '{'", in_quotes(json.substr(0, 1)));
  const auto last = json.find_last_not_of(' ');
  if (json[last] != '}') {
    fail(where, "a header that ends with '}' and spaces",
         fmt::format("byte {:#04x}", static_cast<unsigned char>(json[last])));
  }
}

void read_exactly(int fd, void* to, std::uint64_t size, const std::string& where) {
  const std::int64_t count = read_fully(fd, to, size);
  if (count < 0) fail(where, "a readable file", in_quotes(errno_text(errno)));
  if (static_cast<std::uint64_t>(count) != size)
    fail(where, fmt::format("{} bytes of header", size), fmt::format("{}", count));
}

}  // namespace

SafetensorsHeader parse_header(std::string_view json, std::uint64_t data_size, const std::string& where) {
  check_padding(json, where);
  SafetensorsHeader header;
  header.data_size = data_size;
  HeaderReader reader(header, where);
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  for (const auto& [name, entry] : header.tensors) check_entry(tensor_place(where, name), entry, data_size);
  check_cover(header, where);
  return header;
}

SafetensorsHeader load_header(int fd, std::uint64_t size, const std::string& where) {
  std::uint64_t header_size = 0;
  if (size < sizeof header_size) fail(where, "at least 8 bytes, the size of the header", fmt::format("{}", size));
  read_exactly(fd, &header_size, sizeof header_size, where);
  if (header_size > max_header_bytes) {
    fail(where, fmt::format("a header of at most {} bytes", max_header_bytes), fmt::format("{}", header_size));
  }
  if (header_size > size - 8) {
    fail(where, fmt::format("a header of {} bytes", header_size),
         fmt::format("a file with {} after the size", size - 8));
  }
  std::string json(header_size, '\0');
  read_exactly(fd, json.data(), header_size, where);
  auto header = parse_header(json, size - 8 - header_size, where);
  header.data_start = 8 + header_size;
  return header;
}

}  // namespace vaetl::safetensors
