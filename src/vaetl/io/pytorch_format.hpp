// The two formats of torch.save, and the choice of a dict in what they hold. Internal to pytorch*.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/io/pickle.hpp"

namespace vaetl::pytorch {

// Where the bytes of a storage begin in the file, and their CRC-32; 0: not told.
struct Place {
  const char* begin = nullptr;
  std::uint32_t checksum = 0;
};

struct Content {
  pickle::Document document = {};
  std::vector<Place> storages = {};  // as in the document; each has its bytes in the file
};

bool is_zip(std::string_view file);
bool is_stream(std::string_view file);  // of torch.save, or another pickle
Content read_zip(std::string_view file, const std::string& where);
Content read_stream(std::string_view file, const std::string& where);

// FileError where the bytes have another CRC-32 than the one that is told.
void check_bytes(std::string_view bytes, std::uint32_t checksum, const std::string& where);

struct Chosen {
  pickle::Id dict = 0;
  std::string path = {};  // empty: the top
};
Chosen choose(const pickle::Document& document, const std::string& key, const std::string& where);

// A key, or (without one) the place in a list, as a part of a dotted path.
constexpr pickle::Id no_key = ~pickle::Id{0};
std::string path_part(const pickle::Document& document, pickle::Id key, std::size_t index);

}  // namespace vaetl::pytorch
