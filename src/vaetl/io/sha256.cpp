#include "vaetl/io/sha256.hpp"

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl {
namespace {

void check(bool ok) {
  if (ok) return;
  throw Error(Exit::internal, {.where = "sha256",
                               .expected = "libcrypto to compute SHA-256",
                               .found = "a failure",
                               .remedy = "check the installation of OpenSSL"});
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(const void* data, std::size_t size) { check(EVP_DigestUpdate(context_.get(), data, size) == 1); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes = {};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1);
  check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  return fmt::format("{:02x}", fmt::join(bytes.begin(), bytes.begin() + size, ""));
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  auto fail = [&](int error) {
    throw FileError({.where = path.string(), .expected = "a readable file", .found = "\"" + errno_text(error) + "\""});
  };
  const Descriptor file = open_to_read(path);
  if (!file) fail(errno);
  Sha256 digest;
  std::vector<char> buffer(std::size_t{1} << 18);
  std::int64_t count = 0;
  do {
    count = read_fully(file.get(), buffer.data(), buffer.size());
    if (count < 0) fail(errno);
    digest.update(buffer.data(), static_cast<std::size_t>(count));
  } while (count == static_cast<std::int64_t>(buffer.size()));
  return digest.hex();
}

}  // namespace vaetl
