#include "vaetl/io/http.hpp"

#include <curl/curl.h>

#include <cstring>
#include <memory>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr long connect_seconds = 15, stall_seconds = 30, slow_bytes_per_second = 1000, most_redirections = 10;

// One request with a body to send, or one to receive.
class HttpExchange {
 public:
  HttpExchange(const std::string& url, std::int64_t max_bytes)
      : url_(url), max_bytes_(max_bytes), curl_(open_http(url, reason_)) {
    set_up();
  }
  void send(std::string_view bytes) {
    rest_ = all_ = bytes;
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &on_wanted);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &on_seek);
    set(CURLOPT_SEEKDATA, this);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
    headers_.reset(curl_slist_append(nullptr, "Expect:"));  // no second of waiting for a word that few servers say
    set(CURLOPT_HTTPHEADER, headers_.get());
  }
  void cancel_when(const std::function<bool()>& cancelled) { asked_ = cancelled; }
  HttpAnswer run();

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* self) {
    auto& exchange = *static_cast<HttpExchange*>(self);
    const auto size = static_cast<std::int64_t>(exchange.answer_.body.size() + count);
    exchange.too_large_ = size > exchange.max_bytes_ && exchange.all_.data() == nullptr;
    if (exchange.too_large_) return CURL_WRITEFUNC_ERROR;
    if (size <= exchange.max_bytes_) exchange.answer_.body.append(bytes, count);
    return count;
  }
  static std::size_t on_wanted(char* to, std::size_t size, std::size_t count, void* self) {
    auto& rest = static_cast<HttpExchange*>(self)->rest_;
    const std::size_t given = std::min(size * count, rest.size());
    std::memcpy(to, rest.data(), given);
    rest.remove_prefix(given);
    return given;
  }
  static int on_seek(void* self, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<HttpExchange*>(self);
    if (origin != SEEK_SET || offset < 0 || offset > static_cast<curl_off_t>(exchange.all_.size())) {
      return CURL_SEEKFUNC_FAIL;
    }
    exchange.rest_ = exchange.all_.substr(static_cast<std::size_t>(offset));
    return CURL_SEEKFUNC_OK;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& exchange = *static_cast<HttpExchange*>(self);
    exchange.cancelled_ = exchange.asked_ && exchange.asked_();
    return exchange.cancelled_ ? 1 : 0;
  }
  void set_up();

  const std::string& url_;
  std::int64_t max_bytes_ = 0;
  std::string_view all_ = {}, rest_ = {};
  std::function<bool()> asked_;
  bool too_large_ = false, cancelled_ = false;
  HttpAnswer answer_;
  char reason_[CURL_ERROR_SIZE] = {};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr, &curl_slist_free_all};
  HttpHandle curl_;
};

void HttpExchange::set_up() {
  set(CURLOPT_WRITEFUNCTION, &on_bytes);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
  set(CURLOPT_LOW_SPEED_TIME, stall_seconds);
}

HttpAnswer HttpExchange::run() {
  const CURLcode code = curl_easy_perform(curl_.get());
  if (cancelled_) throw Error(Exit::interrupted, {url_, "an answer", "an interruption", {}});
  if (too_large_) {
    throw DataError({url_, fmt::format("at most {} bytes", thousands(max_bytes_)), "an answer of more", {}});
  }
  if (code != CURLE_OK) {
    throw DataError({url_, "an answer", quote(reason_[0] != 0 ? reason_ : curl_easy_strerror(code), 160), {}});
  }
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
  return std::move(answer_);
}

}  // namespace

void check_http(const std::string& url) {
  const auto begins = [&](const std::string& scheme) { return url.starts_with(scheme) && url.size() > scheme.size(); };
  if (!begins("http://") && !begins("https://")) {
    throw ConfigError({"download", "an http or https address", quote(url), {}});
  }
}

HttpHandle open_http(const std::string& url, char* reason) {
  check_http(url);
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, whichever thread is first
  if (started != CURLE_OK) throw Error(Exit::internal, {"libcurl", "it to start", curl_easy_strerror(started), {}});
  HttpHandle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) throw Error(Exit::internal, {"libcurl", "a handle", "none", {}});
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(handle.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, most_redirections);
  set(CURLOPT_NOSIGNAL, 1L);  // signals belong to the program
  set(CURLOPT_USERAGENT, "vaetl");
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_LOW_SPEED_LIMIT, slow_bytes_per_second);
  return handle;
}

HttpAnswer http_get(const std::string& url, std::int64_t max_bytes) { return HttpExchange(url, max_bytes).run(); }

HttpAnswer http_put(const std::string& url, std::string_view bytes, const std::function<bool()>& cancelled) {
  HttpExchange exchange(url, 0);
  exchange.send(bytes.data() == nullptr ? std::string_view("") : bytes);
  exchange.cancel_when(cancelled);
  return exchange.run();
}

}  // namespace vaetl
