// Small answers from http and https addresses, and files to them; files from them are io/download.hpp.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vaetl {

struct HttpAnswer {
  long status = 0;  // 200, 404, …
  std::string body = {};
};

// Redirections are followed, to http and https alone; proxies and connect and stall times are those of download().
// ConfigError: another kind of address. DataError: no answer, or one of more than `max_bytes`.
HttpAnswer http_get(const std::string& url, std::int64_t max_bytes);
// The answer's body is not kept. `cancelled` is asked at least about once a second; Error with Exit::interrupted then.
HttpAnswer http_put(const std::string& url, std::string_view bytes, const std::function<bool()>& cancelled = {});

// ConfigError unless the address is of http or https.
void check_http(const std::string& url);
// What every use of libcurl begins with: a handle on the address, which is checked, with what all have in common.
// `reason`, of CURL_ERROR_SIZE, is told why a transfer failed.
using HttpHandle = std::unique_ptr<void, void (*)(void*)>;
HttpHandle open_http(const std::string& url, char* reason);

}  // namespace vaetl
