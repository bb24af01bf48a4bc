#include "vaetl/io/base64.hpp"

#include <openssl/evp.h>

namespace vaetl {

std::string base64_encode(std::string_view bytes) {
  constexpr std::size_t block = std::size_t{3} << 20;        // a multiple of 3, so that only the last block is padded
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // libcrypto ends each block with a NUL
  std::size_t done = 0;
  for (std::size_t i = 0; i < bytes.size(); i += block) {
    const auto part = bytes.substr(i, block);
    done += static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + done),
                                                     reinterpret_cast<const unsigned char*>(part.data()),
                                                     static_cast<int>(part.size())));
  }
  text.resize(done);
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t block = std::size_t{4} << 20;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const bool whole = text.size() % 4 == 0 &&
                     text.substr(0, text.size() - padding).find_first_not_of(alphabet) == std::string_view::npos;
  if (!whole) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  for (std::size_t i = 0; i < text.size(); i += block) {
    const auto part = text.substr(i, block);
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data() + i / 4 * 3),
                    reinterpret_cast<const unsigned char*>(part.data()), static_cast<int>(part.size()));
  }
  bytes.resize(bytes.size() - padding);  // libcrypto counts it as bytes 0
  return bytes;
}

std::string data_uri(std::string_view media_type, std::string_view bytes) {
  return fmt::format("data:{};base64,{}", media_type, base64_encode(bytes));
}

}  // namespace vaetl
