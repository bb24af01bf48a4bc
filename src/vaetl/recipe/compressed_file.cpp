#include "vaetl/recipe/compressed_file.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/io/utf8.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::string_view magic = "vaetl-bb";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t before_header = 16, digest_size = 64;
// A pixel takes 2^−24 bits at the very least (recipe/level_shares.hpp).
constexpr double most_pixels_a_byte = 8.0 * (1 << 24);

void put_number(std::string& bytes, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
}

std::uint32_t number_at(std::string_view bytes, std::size_t place) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= std::uint32_t{static_cast<unsigned char>(bytes[place + i])} << (8 * i);
  return number;
}

DataError damaged(const std::string& where, const std::string& expected, const std::string& found) {
  return DataError({where, expected, found, "the file is damaged"});
}

void check_frame(std::string_view bytes, const std::string& where) {
  if (bytes.size() < before_header + digest_size || !bytes.starts_with(magic)) {
    throw DataError({where, "a file that vaetl-compress wrote", "another", {}});
  }
  if (const std::uint32_t version = number_at(bytes, magic.size()); version != format_version) {
    throw DataError({where, fmt::format("version {} of the format", format_version), std::to_string(version),
                     "take the vaetl that wrote it"});
  }
  const std::size_t size = bytes.size() - digest_size;
  if (sha256_hex(bytes.substr(0, size)) != bytes.substr(size)) {
    throw damaged(where, "the bytes that its checksum is of", "others");
  }
}

CompressedHeader parse_header(std::string_view text, const std::string& where) {
  try {
    return from_json<CompressedHeader>(parse_json(text, "header"), "header");
  } catch (const ConfigError& error) {
    throw damaged(where, "a header", error.what());
  }
}

// More files than one at a time, or one elsewhere than in its folder, are nobody's pictures.
void check_names(const CompressedHeader& header, const std::string& where) {
  const std::set<std::string> different(header.names.begin(), header.names.end());
  bool good = header.names.empty() || static_cast<std::int64_t>(different.size()) == header.shape.at(0);
  good = good && different.size() == header.names.size();
  for (const std::string& name : different) {
    good = good && name.size() > 4 && name.ends_with(".png") && name.find('/') == name.npos && is_plain_name(name);
  }
  if (!good) throw damaged(where, "a name FILE.png for each picture", "other names");
}

void check_shape(const CompressedHeader& header, std::size_t words, const std::string& where) {
  double pixels = 1;
  for (const std::int64_t size : header.shape) pixels *= static_cast<double>(size);
  if (!header.shape.empty() && pixels <= static_cast<double>(words) * 4 * most_pixels_a_byte) return;
  throw damaged(where, "as many pixels as its streams may hold", shape_text(header.shape));
}

}  // namespace

bool is_plain_name(const std::string& name) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return is_utf8(name) && std::none_of(name.begin(), name.end(), is_control);
}

std::string packed(const CompressedFile& file) {
  const std::string header = to_json(file.header).dump();
  std::string bytes(magic);
  put_number(bytes, format_version);
  put_number(bytes, static_cast<std::uint32_t>(header.size()));
  bytes += header;
  for (const RansWords& words : file.streams) {
    for (const std::uint32_t word : words) put_number(bytes, word);
  }
  return bytes + sha256_hex(bytes);
}

CompressedFile unpacked(std::string_view bytes, const std::string& where) {
  check_frame(bytes, where);
  std::string_view rest = bytes.substr(before_header, bytes.size() - before_header - digest_size);
  const std::size_t header_size = number_at(bytes, before_header - 4);
  if (header_size > rest.size()) throw damaged(where, "a header", "its end");
  CompressedFile file{parse_header(rest.substr(0, header_size), where), {}, where};
  rest.remove_prefix(header_size);
  check_shape(file.header, rest.size() / 4, where);
  check_names(file.header, where);
  for (const std::int64_t count : file.header.words) {
    if (static_cast<std::size_t>(count) > rest.size() / 4) throw damaged(where, "all of its streams", "their end");
    RansWords& words = file.streams.emplace_back();
    for (std::int64_t i = 0; i < count; ++i) words.push_back(number_at(rest, 4 * static_cast<std::size_t>(i)));
    rest.remove_prefix(4 * static_cast<std::size_t>(count));
  }
  if (!rest.empty())
    throw damaged(where, "the end of its streams", thousands(static_cast<std::int64_t>(rest.size())) + " more bytes");
  return file;
}

}  // namespace vaetl::recipe
