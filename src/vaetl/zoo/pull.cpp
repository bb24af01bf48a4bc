#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/base.hpp"
#include "vaetl/zoo/entry.hpp"
#include "vaetl/zoo/exchange.hpp"
#include "vaetl/zoo/manage.hpp"
#include "vaetl/zoo/place.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

bool is_file_told(const fs::path& file, const FileCard& told) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return !error && static_cast<std::int64_t>(size) == told.bytes && sha256_file(file) == told.sha256;
}

// What fails on the way is the place's fault; what has arrived stays.
void get_file(Place& place, const std::string& file, const FileCard& told, const fs::path& to,
              const ExchangeOptions& options) {
  try {
    place.get(file, told, to, options);
  } catch (const DataError& error) {
    const bool kept = fs::exists(to.parent_path() / ("." + to.filename().string() + ".part"));
    throw FileError({place.address_of(file), "a file as the index tells", error.problem.found,
                     kept ? "call it again: what has arrived is kept" : "tell whoever keeps the place"});
  }
  if (is_file_told(to, told)) return;
  const std::string found = sha256_file(to);
  fs::remove(to);
  throw FileError({place.address_of(file), "sha256 " + told.sha256 + ", as the index tells", found,
                   "the place is damaged: tell whoever keeps it"});
}

void check_pull_size(const IndexedEntry& entry, const std::string& where, const ExchangeOptions& options) {
  std::int64_t rest = options.max_bytes;  // no sum, which could overflow
  for (const auto& [name, file] : entry.files) {
    if (file.bytes > rest) {
      throw FileError({where, fmt::format("at most {} bytes", thousands(options.max_bytes)),
                       fmt::format("{} bytes of {}", thousands(entry.bytes()), quote(entry.name)),
                       "allow more with --max-bytes"});
    }
    rest -= file.bytes;
  }
}

// Files of an earlier attempt at something else.
void clear_others(const fs::path& folder, const IndexedEntry& entry) {
  for (const auto& item : fs::directory_iterator(folder)) {
    if (!entry.files.contains(item.path().filename().string())) fs::remove_all(item.path());
  }
}

bool is_there_already(const fs::path& target, const IndexedEntry& entry) {
  return std::all_of(entry.files.begin(), entry.files.end(),
                     [&](const auto& item) { return is_file_told(target / item.first, item.second); });
}

// What a person has made under that name is not lost by a pull.
void check_no_other(const fs::path& target, const IndexedEntry& entry, const ExchangeOptions& options) {
  check_replaceable(target);
  std::error_code ignored;
  if (options.replace || !fs::exists(target / card_file, ignored)) return;
  std::string version = "a card that cannot be read";
  try {
    version = "version " + read_card(target).version;
  } catch (const FileError&) {
  }
  throw FileError({target.string(), "nothing, or version " + entry.version + " of " + quote(entry.name), version,
                   "replace it with --replace"});
}

void check_is_entry(const IndexedEntry& told, const fs::path& folder, const std::string& where) {
  const Entry entry = check_entry(folder);
  const std::string expected = told.name + " " + told.version, found = entry.card.name + " " + entry.card.version;
  if (expected != found) throw FileError({where, expected + ", as the index tells", found, {}});
}

void put_in_place(const fs::path& staging, const fs::path& target) {
  AtomicFolder entry(target);
  for (const auto& item : fs::directory_iterator(staging)) {
    fs::rename(item.path(), entry.path() / item.path().filename());
  }
  entry.commit();
  fs::remove_all(staging);
}

enum class Wanted { entry, base };
Exchanged pull_as(Wanted wanted, const std::string& reference, const std::string& address,
                  const ExchangeOptions& options);

// The base of a delta, where no entry of the zoo has its weights. Bases are whole, so that none asks for another.
void pull_base(const fs::path& staging, Wanted wanted, const std::string& address, const ExchangeOptions& options) {
  const Card card = read_card(staging);
  if (!card.base) return;
  const std::string file = (staging / card_file).string();
  if (wanted == Wanted::base) {
    throw FileError({file, "a whole entry, as it is the base of another", "one with the base " + quote(card.base->name),
                     "tell whoever keeps the place"});
  }
  try {
    Weights none;
    add_base(none, *build(card.model), *card.base, staging, file);
  } catch (const FileError&) {
    pull_as(Wanted::base, card.base->name, address, options);
  }
}

Exchanged pull_as(Wanted wanted, const std::string& reference, const std::string& address,
                  const ExchangeOptions& options) {
  const auto place = open_place(address);
  const std::string where = place->address_of(index_file);
  const Index index = index_of(address);
  const IndexedEntry entry = find_entry(index, reference, where);
  check_pull_size(entry, where, options);
  const fs::path target = folder_for(entry.name, "pull " + quote(reference));
  Exchanged done{.name = entry.name, .version = entry.version, .place = target.string()};
  done.was_there = is_there_already(target, entry);
  if (done.was_there) return done;
  check_no_other(target, entry, options);

  const fs::path staging = target.parent_path() / fmt::format(".{}-{}.pull", entry.name, entry.version);
  make_folder(staging);
  for (const auto& [name, told] : entry.files) {
    if (is_file_told(staging / name, told)) continue;
    get_file(*place, path_in_place(entry, name), told, staging / name, options);
    done.bytes += told.bytes;
  }
  clear_others(staging, entry);
  pull_base(staging, wanted, address, options);
  check_is_entry(entry, staging, where);
  put_in_place(staging, target);
  return done;
}

}  // namespace

Index index_of(const std::string& address) {
  const auto place = open_place(address);
  const std::string where = place->address_of(index_file);
  try {
    if (const auto text = place->index()) return read_index(*text, where);
  } catch (const DataError& error) {
    throw FileError({where, "the index of a place where zoo entries are exchanged", error.problem.found, {}});
  }
  throw FileError(
      {where, "the index of a place where zoo entries are exchanged", "no such file", "vaetl-zoo push makes one"});
}

Exchanged pull(const std::string& reference, const std::string& address, const ExchangeOptions& options) {
  return pull_as(Wanted::entry, reference, address, options);
}

}  // namespace vaetl::zoo
