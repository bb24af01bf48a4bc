// SHA-256 as 64 lower-case hexadecimal digits, by OpenSSL's libcrypto.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace vaetl {

// Of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(const void* data, std::size_t size);
  void update(std::string_view bytes) { update(bytes.data(), bytes.size()); }
  std::string hex();  // and begins anew

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

std::string sha256_hex(std::string_view bytes);

// Streams the file. FileError when it is absent or unreadable.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace vaetl
