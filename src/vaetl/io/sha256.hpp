// SHA-256 as 64 lower-case hexadecimal digits, by OpenSSL's libcrypto.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace vaetl {

std::string sha256_hex(std::string_view bytes);

// Streams the file. FileError when it is absent or unreadable.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace vaetl
