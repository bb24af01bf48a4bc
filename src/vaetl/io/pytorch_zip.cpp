// The zip format: ARCHIVE/data.pkl, ARCHIVE/data/KEY for each storage, ARCHIVE/byteorder, ARCHIVE/version. Records are
// stored, not compressed, so that their bytes can be used where they lie in the file.
#include <zlib.h>

#include <charconv>
#include <map>
#include <optional>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/pytorch_format.hpp"

namespace vaetl::pytorch {
namespace {

constexpr std::uint64_t end_size = 22, end64_size = 56, locator_size = 20, entry_size = 46, local_size = 30;
constexpr std::uint64_t most_records = std::uint64_t{1} << 20;
constexpr std::uint64_t unknown16 = 0xffff, unknown32 = 0xffffffff;  // told in a zip64 field
constexpr int newest_version = 10;

struct Record {
  std::uint64_t header = 0, begin = 0, size = 0;
  std::uint32_t checksum = 0;
};

class Archive {
 public:
  Archive(std::string_view file, const std::string& where) : file_(file), where_(where) {
    read_directory();
    check_overlap();
  }

  const Record* find(const std::string& name) const {
    const auto found = records_.find(name);
    return found == records_.end() ? nullptr : &found->second;
  }
  std::string_view bytes(const Record& record) const { return file_.substr(record.begin, record.size); }
  std::optional<std::string_view> checked(const std::string& name) const;
  std::string folder() const;  // of data.pkl, with a slash
  bool has_folder(const std::string& name) const;

 private:
  [[noreturn]] void refuse(std::string expected, std::string found, std::string remedy = {}) const {
    throw FileError({where_, std::move(expected), std::move(found), std::move(remedy)});
  }
  [[noreturn]] void damaged(const std::string& found) const {
    refuse("a whole zip archive", found, "the file is damaged: get it again");
  }
  std::string_view part(std::uint64_t at, std::uint64_t size, const char* what) const;
  std::uint64_t number(std::string_view from, std::uint64_t at, std::size_t bytes) const;
  std::uint64_t find_end() const;
  void read_directory();
  std::uint64_t read_entry(std::uint64_t at);
  void read_zip64(std::string_view extra, Record& record, std::uint64_t& packed) const;
  void find_data(const std::string& name, Record& record) const;
  void check_overlap() const;

  std::string_view file_;
  const std::string& where_;
  std::uint64_t directory_ = 0;  // where it begins
  std::map<std::string, Record> records_;
};

std::string_view Archive::part(std::uint64_t at, std::uint64_t size, const char* what) const {
  if (at > file_.size() || size > file_.size() - at) damaged(fmt::format("no {}", what));
  return file_.substr(at, size);
}

std::uint64_t Archive::number(std::string_view from, std::uint64_t at, std::size_t bytes) const {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(from[at + i]);
  return value;
}

// The end record has a comment of up to 65535 bytes behind it, which reaches to the end of the file.
std::uint64_t Archive::find_end() const {
  if (file_.size() < end_size) damaged("no end record");
  const std::uint64_t last = file_.size() - end_size, first = last - std::min(last, unknown16);
  for (std::uint64_t at = last + 1; at-- > first;) {
    if (file_.substr(at, 4) != "PK\x05\x06") continue;
    if (number(file_, at + 20, 2) == last - at) return at;
  }
  damaged("no end record");
}

void Archive::read_directory() {
  const std::uint64_t end = find_end();
  std::uint64_t count = number(file_, end + 10, 2), size = number(file_, end + 12, 4), limit = end;
  directory_ = number(file_, end + 16, 4);
  if (count == unknown16 || size == unknown32 || directory_ == unknown32) {
    const auto locator = part(end - std::min(end, locator_size), locator_size, "zip64 locator");
    limit = number(locator, 8, 8);
    const auto end64 = part(limit, end64_size, "zip64 end record");
    if (!locator.starts_with("PK\x06\x07") || !end64.starts_with("PK\x06\x06")) damaged("no zip64 end record");
    count = number(end64, 32, 8);
    size = number(end64, 40, 8);
    directory_ = number(end64, 48, 8);
  }
  if (count > most_records) refuse(fmt::format("at most {} records", most_records), std::to_string(count));
  if (limit > end || directory_ > limit || size > limit - directory_) damaged("a directory beyond the end");
  std::uint64_t at = directory_;
  for (std::uint64_t i = 0; i < count; ++i) at = read_entry(at);
}

std::uint64_t Archive::read_entry(std::uint64_t at) {
  const auto entry = part(at, entry_size, "directory");
  if (!entry.starts_with("PK\x01\x02")) damaged("no directory");
  const std::uint64_t name_size = number(entry, 28, 2), extra_size = number(entry, 30, 2);
  const std::string name(part(at + entry_size, name_size, "name"));
  Record record{.header = number(entry, 42, 4),
                .size = number(entry, 24, 4),
                .checksum = static_cast<std::uint32_t>(number(entry, 16, 4))};
  std::uint64_t packed = number(entry, 20, 4);
  read_zip64(part(at + entry_size + name_size, extra_size, "directory"), record, packed);
  if (number(entry, 10, 2) != 0 || packed != record.size) {
    refuse("records that are stored, as torch.save writes them", fmt::format("{} compressed", quote(name)),
           "save it again with torch.save");
  }
  if ((number(entry, 8, 2) & 1) != 0) refuse("records that can be read", fmt::format("{} encrypted", quote(name)));
  find_data(name, record);
  if (!records_.emplace(name, record).second) damaged(fmt::format("{} twice", quote(name)));
  return at + entry_size + name_size + extra_size + number(entry, 32, 2);
}

// What 32 bits cannot hold stands in the extra field 1, in this order.
void Archive::read_zip64(std::string_view extra, Record& record, std::uint64_t& packed) const {
  while (extra.size() >= 4) {
    const std::uint64_t id = number(extra, 0, 2), size = number(extra, 2, 2);
    if (size > extra.size() - 4) damaged("an extra field beyond its entry");
    std::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (std::uint64_t* value : {&record.size, &packed, &record.header}) {
      if (*value != unknown32 || field.size() < 8) continue;
      *value = number(field, 0, 8);
      field.remove_prefix(8);
    }
  }
}

void Archive::find_data(const std::string& name, Record& record) const {
  const auto local = part(record.header, local_size, "record");
  const std::uint64_t name_size = number(local, 26, 2), at = record.header + local_size;
  const bool same = local.starts_with("PK\x03\x04") && part(at, name_size, "record") == name;
  if (!same) damaged(fmt::format("no record {}", quote(name)));
  record.begin = at + name_size + number(local, 28, 2);
  if (record.begin > directory_ || record.size > directory_ - record.begin) {
    damaged(fmt::format("the record {} beyond the end", quote(name)));
  }
}

// Bytes that are named many times would be checked many times.
void Archive::check_overlap() const {
  std::vector<const Record*> order;
  for (const auto& [name, record] : records_) order.push_back(&record);
  std::sort(order.begin(), order.end(), [](const Record* a, const Record* b) { return a->header < b->header; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->begin + order[i - 1]->size > order[i]->header) damaged("records that overlap");
  }
}

std::optional<std::string_view> Archive::checked(const std::string& name) const {
  const Record* record = find(name);
  if (record == nullptr) return std::nullopt;
  check_bytes(bytes(*record), record->checksum, fmt::format("{}: record {}", where_, quote(name)));
  return bytes(*record);
}

std::string Archive::folder() const {
  constexpr std::string_view wanted = "data.pkl";
  std::vector<std::string> folders;
  for (const auto& [name, record] : records_) {
    const auto slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == wanted) folders.push_back(name.substr(0, slash + 1));
  }
  if (folders.size() == 1) return folders[0];
  refuse("an archive that torch.save wrote",
         folders.empty() ? "a zip archive without data.pkl" : "several data.pkl in one");
}

bool Archive::has_folder(const std::string& name) const {
  const auto first = records_.lower_bound(name);
  return first != records_.end() && first->first.starts_with(name);
}

void check_kind(const Archive& archive, const std::string& folder, const std::string& where) {
  if (archive.has_folder(folder + "code/")) {
    throw FileError({where, "tensors, dicts, lists, numbers and strings", "a TorchScript program",
                     "save model.state_dict() with torch.save instead"});
  }
  const auto order = archive.checked(folder + "byteorder");
  if (order && *order != "little") throw FileError({where, "the byte order \"little\"", quote(*order), {}});
  const std::string_view text = archive.checked(folder + "version").value_or("1");
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  if (version >= 1 && version <= newest_version) return;
  throw FileError({where, fmt::format("a format version from 1 to {}", newest_version), quote(text), {}});
}

}  // namespace

bool is_zip(std::string_view file) { return file.starts_with("PK\x03\x04"); }

void check_bytes(std::string_view bytes, std::uint32_t checksum, const std::string& where) {
  if (checksum == 0) return;  // PyTorch can be told to leave it out
  const auto found = crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  if (found == checksum) return;
  throw FileError({where, fmt::format("the CRC-32 {:08x}", checksum), fmt::format("{:08x}", found),
                   "the file is damaged: get it again"});
}

Content read_zip(std::string_view file, const std::string& where) {
  const Archive archive(file, where);
  const std::string folder = archive.folder();
  check_kind(archive, folder, where);
  Content content{.document = pickle::parse(*archive.checked(folder + "data.pkl"), where)};
  for (const pickle::Storage& storage : content.document.storages) {
    const Record* record = archive.find(folder + "data/" + std::string(storage.key));
    if (record == nullptr || record->size != storage.bytes) {
      throw FileError({where, fmt::format("a record of {} bytes for the storage {}", storage.bytes, quote(storage.key)),
                       record == nullptr ? "none" : fmt::format("{} bytes", record->size),
                       "the file is damaged: get it again"});
    }
    content.storages.push_back({archive.bytes(*record).data(), record->checksum});
  }
  return content;
}

}  // namespace vaetl::pytorch
