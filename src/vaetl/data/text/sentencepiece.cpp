// A model is a protocol-buffer message. Its normaliser carries a table of replacements, a double array (Darts) and the
// texts that it points to, which the library follows without a check of bounds; so the places it can reach are checked
// here, by walking to that table through the fields of the message.
#include "vaetl/data/text/sentencepiece.hpp"

#include <sentencepiece_processor.h>

#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_model = std::size_t{64} << 20;
constexpr std::size_t longest_replacement = 1024;  // bytes; the longest of Unicode's own are 33

constexpr std::uint64_t normalizer_field = 3, denormalizer_field = 5, charsmap_field = 2;

// One field of a message: a number, its wire type and, of type 2, its bytes.
struct WireField {
  std::uint64_t number = 0;
  unsigned type = 0;
  std::string_view bytes = {};
};

bool take_varint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest[0]);
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Takes one field off `rest`; false where the bytes are no field.
bool take_field(std::string_view& rest, WireField& field) {
  std::uint64_t key = 0, size = 0;
  if (!take_varint(rest, key)) return false;
  field.number = key >> 3;
  field.type = static_cast<unsigned>(key & 7);
  switch (field.type) {
    case 0:
      return take_varint(rest, size);
    case 1:
      size = 8;
      break;
    case 2:
      if (!take_varint(rest, size)) return false;
      break;
    case 5:
      size = 4;
      break;
    default:
      return false;
  }
  if (size > rest.size()) return false;
  field.bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

std::uint32_t word_at(std::string_view bytes, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 4 * index, sizeof(word));
  return word;
}

// A unit of the double array: bits 10 … 30 the offset, bit 9 its scale, bit 8 whether a value stands at the offset;
// with bit 31 it is a value itself, from which no walk goes on. The first unit, where walks begin, is not asked for
// that bit.
bool reaches_outside(std::string_view units, std::size_t index, std::size_t texts) {
  const std::size_t count = units.size() / 4;
  const std::uint32_t unit = word_at(units, index);
  if (index > 0 && (unit >> 31) != 0) return false;
  const std::size_t next = index ^ (std::size_t{unit >> 10} << ((unit & 0x200) >> 6));
  if ((next | 0xff) >= count) return true;
  return (unit & 0x100) != 0 && (word_at(units, next) & 0x7fffffff) >= texts;
}

// The table: the double array's size in bytes (uint32), the array, then texts that each end with a byte 0.
bool is_table(std::string_view table) {
  if (table.size() < 4) return false;
  const std::size_t size = word_at(table, 0);
  table.remove_prefix(4);
  if (size == 0 || size % 1024 != 0 || size >= table.size()) return false;
  const std::string_view units = table.substr(0, size);
  std::string_view texts = table.substr(size);
  if (texts.back() != 0) return false;
  for (std::size_t i = 0; i < size / 4; ++i) {
    if (reaches_outside(units, i, texts.size())) return false;
  }
  while (!texts.empty()) {
    const std::size_t length = texts.find('\0');
    if (length > longest_replacement) return false;
    texts.remove_prefix(length + 1);
  }
  return true;
}

std::string flaw_of_normalizer(std::string_view bytes) {
  for (WireField field; !bytes.empty();) {
    if (!take_field(bytes, field)) return "a damaged description of its normalisation";
    if (field.number != charsmap_field) continue;
    if (field.type != 2 || (!field.bytes.empty() && !is_table(field.bytes))) return "a damaged table of normalisation";
  }
  return {};
}

std::string read_model(const fs::path& file) {
  std::string bytes = read_maybe_gzip(file, most_model);
  if (std::string flaw = flaw_of_model(bytes); !flaw.empty()) {
    throw DataError({file.string(), "a SentencePiece model", std::move(flaw), {}});
  }
  return bytes;
}

}  // namespace

std::string flaw_of_model(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  for (WireField field; !bytes.empty();) {
    if (!take_field(bytes, field)) return "bytes that are no such message";
    if (field.number != normalizer_field && field.number != denormalizer_field) continue;
    if (field.type != 2) return "bytes that are no such message";
    if (std::string flaw = flaw_of_normalizer(field.bytes); !flaw.empty()) return flaw;
  }
  return {};
}

SentencePieces::SentencePieces(const fs::path& file, const std::string& sha256)
    : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  const std::string bytes = read_model(file);
  sha256_ = sha256_hex(bytes);
  if (!sha256.empty() && sha256 != sha256_) {
    throw DataError({file.string(), "the SentencePiece model with the SHA-256 " + sha256, sha256_,
                     "option `model` says where that one lies"});
  }
  std::string flaw;
  try {
    const auto status = processor_->LoadFromSerializedProto(bytes);
    if (!status.ok()) flaw = status.error_message();
  } catch (const std::exception& error) {
    flaw = error.what();
  }
  if (!flaw.empty()) throw DataError({file.string(), "a SentencePiece model", "one that does not load: " + flaw, {}});
}

SentencePieces::~SentencePieces() = default;
SentencePieces::SentencePieces(SentencePieces&&) noexcept = default;
SentencePieces& SentencePieces::operator=(SentencePieces&&) noexcept = default;

std::vector<int> SentencePieces::encode(std::string_view text) const {
  std::vector<int> pieces;
  const auto status = processor_->Encode(text, &pieces);
  if (!status.ok()) throw DataError({"sentencepiece", "text that the model takes", quote(status.error_message()), {}});
  const int unknown = processor_->unk_id();
  for (int& piece : pieces) {
    if (piece == unknown) piece = -1;
  }
  return pieces;
}

std::int64_t SentencePieces::size() const { return processor_->GetPieceSize(); }

}  // namespace vaetl::text
