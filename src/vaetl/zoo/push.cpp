#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/entry.hpp"
#include "vaetl/zoo/exchange.hpp"
#include "vaetl/zoo/place.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

IndexedEntry describe_for_index(const Entry& entry) {
  const Card& card = entry.card;
  const std::string where = (entry.folder / card_file).string();
  if (!is_entry_name(card.version)) {
    throw FileError({where + ": version", "letters, digits, - _ and ., as 1.0.0", quote(card.version),
                     "write the entry anew: vaetl-zoo add --entry-version"});
  }
  if (card.format_version < card_format) {
    throw FileError({where, fmt::format("a card of format version {}", card_format),
                     fmt::format("version {}", card.format_version), "write the entry anew: vaetl-zoo add"});
  }
  IndexedEntry told{.name = card.name, .version = card.version, .summary = card.summary, .licence = card.licence};
  told.files = card.files;
  told.files[card.weights.file] = {card.weights.bytes, card.weights.sha256};
  told.files[card_file] = {static_cast<std::int64_t>(fs::file_size(entry.folder / card_file)),
                           sha256_file(entry.folder / card_file)};
  return told;
}

bool is_same_content(const IndexedEntry& a, const IndexedEntry& b) {
  using Files = std::map<std::string, FileCard>;
  return Codec<Files>::write(a.files) == Codec<Files>::write(b.files);
}

// Whether this version is there already.
bool is_pushed(const IndexedEntry& entry, const Index& index, const std::string& where) {
  for (const IndexedEntry& other : index.entries) {
    if (other.name != entry.name || other.version != entry.version) continue;
    if (is_same_content(other, entry)) return true;
    throw FileError({where, "a version that is not there yet", entry.name + " " + entry.version + " with other content",
                     "raise it: vaetl-zoo add --entry-version"});
  }
  return false;
}

void check_base_is_there(const Card& card, const Index& index, const std::string& where) {
  if (!card.base) return;
  for (const IndexedEntry& other : index.entries) {
    if (other.name != card.base->name) continue;
    for (const auto& [name, file] : other.files) {
      if (file.sha256 == card.base->sha256) return;
    }
  }
  throw FileError({where, "the base " + quote(card.base->name) + ", with whose weights the entry was made", "none",
                   "push that first"});
}

}  // namespace

Exchanged push(const std::string& reference, const std::string& address, const ExchangeOptions& options) {
  const fs::path folder = resolve(reference);
  if (!fs::is_directory(folder)) {
    throw FileError({quote(reference), "an entry", "a weights file", "make an entry of it: vaetl-zoo add"});
  }
  const Entry entry = check_entry(folder);
  const IndexedEntry told = describe_for_index(entry);
  const auto place = open_place(address);
  const std::string where = place->address_of(index_file);
  Exchanged done{
      .name = told.name, .version = told.version, .place = place->address_of(told.name + "/" + told.version)};
  try {
    const Index index = index_in(*place);
    done.was_there = is_pushed(told, index, where);
    if (done.was_there) return done;
    check_base_is_there(entry.card, index, where);
    place->put(told, folder, options);
  } catch (const DataError& error) {
    throw OutputError({error.problem.where, "a place that takes zoo entries", error.problem.found, {}});
  }
  done.bytes = told.bytes();
  return done;
}

}  // namespace vaetl::zoo
