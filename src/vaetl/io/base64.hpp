// Base 64 (RFC 4648, with padding, without line breaks), for data URIs in reports and for bytes within JSON.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace vaetl {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // nothing where it is no such text

// data_uri("image/png", encode_png(image)) → "data:image/png;base64,…"
std::string data_uri(std::string_view media_type, std::string_view bytes);

}  // namespace vaetl
