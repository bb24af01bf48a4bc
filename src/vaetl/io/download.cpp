#include "vaetl/io/download.hpp"

#include <curl/curl.h>

#include <exception>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/http.hpp"
#include "vaetl/io/partial_file.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;

Problem problem(const std::string& url, const fs::path& to, std::string found) {
  return {to.string(), "the file at " + url, std::move(found), "get it by hand from that address and put it there"};
}

// One request for the bytes from `from` on, into the part.
class Request {
 public:
  Request(const std::string& url, const fs::path& to, const DownloadOptions& options, PartialFile& part,
          std::int64_t from)
      : url_(url), to_(to), options_(options), part_(part), from_(from), curl_(open_http(url, reason_)) {
    set_up();
  }
  bool run();                                   // false: the server cannot go on from there
  std::int64_t begun() const { return from_; }  // 0 where the server sent the whole file all the same

 private:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  template <class T>
  T get(CURLINFO info) const {
    T value = {};
    curl_easy_getinfo(curl_.get(), info, &value);
    return value;
  }
  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* self) {
    return static_cast<Request*>(self)->receive(bytes, count) ? count : CURL_WRITEFUNC_ERROR;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Request*>(self)->goes_on() ? 0 : 1;
  }
  void set_up();
  void set_limits();
  bool begin();
  bool receive(const char* bytes, std::size_t count);
  bool goes_on();
  std::int64_t range_start() const;
  [[noreturn]] void fail(CURLcode code);
  [[noreturn]] void refuse(std::string found);

  const std::string& url_;
  const fs::path& to_;
  const DownloadOptions& options_;
  PartialFile& part_;
  std::int64_t from_ = 0, total_ = 0;
  bool begun_ = false, cannot_resume_ = false, cancelled_ = false;
  int disk_error_ = 0;
  std::string refusal_;        // why what the server offers is not taken
  std::exception_ptr thrown_;  // by the caller's functions: not through C
  char reason_[CURL_ERROR_SIZE] = {};
  HttpHandle curl_;
};

void Request::set_up() {
  set(CURLOPT_FAILONERROR, 1L);  // the page that explains an error is not the file
  set(CURLOPT_WRITEFUNCTION, &on_bytes);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set_limits();
}

void Request::set_limits() {
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_seconds));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_seconds));
  // Not CURLOPT_RESUME_FROM, which fails where a server sends the whole file instead of the rest.
  if (from_ > 0) set(CURLOPT_RANGE, fmt::format("{}-", from_).c_str());
}

// Where the bytes of a partial answer begin; −1 where it does not say.
std::int64_t Request::range_start() const {
  curl_header* header = nullptr;
  if (curl_easy_header(curl_.get(), "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return -1;
  long long first = -1;
  return std::sscanf(header->value, "bytes %lld-", &first) == 1 ? first : -1;
}

// With the first bytes the answer is known: whole or partial, and mostly its size.
bool Request::begin() {
  begun_ = true;
  if (from_ > 0 && get<long>(CURLINFO_RESPONSE_CODE) == 206) {
    cannot_resume_ = range_start() != from_;
    if (cannot_resume_) return false;
  } else {
    from_ = 0;
    disk_error_ = part_.cut(0);
    if (disk_error_ != 0) return false;
  }
  const auto length = get<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
  if (length < 0) return true;
  total_ = from_ + length;
  const bool other = options_.bytes > 0 && total_ != options_.bytes;
  cannot_resume_ = other && from_ > 0;  // another file than the one that was begun, or another server's idea of it
  if (other) refusal_ = fmt::format("one of {} bytes instead of {}", thousands(total_), thousands(options_.bytes));
  if (total_ > options_.max_bytes) {
    refusal_ = fmt::format("one of {} bytes, of at most {}", thousands(total_), thousands(options_.max_bytes));
  }
  if (refusal_.empty()) disk_error_ = part_.make_room(total_);
  return refusal_.empty() && disk_error_ == 0;
}

bool Request::receive(const char* bytes, std::size_t count) {
  if (!begun_ && !begin()) return false;
  const std::int64_t most = options_.bytes > 0 ? options_.bytes : options_.max_bytes;
  if (part_.size() + static_cast<std::int64_t>(count) > most) {
    refusal_ = fmt::format("one of more than {} bytes", thousands(most));
    return false;
  }
  disk_error_ = part_.append(bytes, count);
  return disk_error_ == 0;
}

bool Request::goes_on() {
  try {
    if (options_.progress && begun_) options_.progress(part_.size(), total_ > 0 ? total_ : options_.bytes);
    cancelled_ = options_.cancelled && options_.cancelled();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  return !cancelled_ && thrown_ == nullptr;
}

bool Request::run() {
  const CURLcode code = curl_easy_perform(curl_.get());
  if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  const bool unsatisfiable = from_ > 0 && get<long>(CURLINFO_RESPONSE_CODE) == 416;
  if (cannot_resume_ || unsatisfiable) return false;
  if (code != CURLE_OK) fail(code);
  if (!begun_) disk_error_ = part_.cut(from_ = 0);  // an empty file
  if (disk_error_ != 0) part_.fail(disk_error_);
  if (options_.bytes > 0 && part_.size() != options_.bytes) {
    refuse(fmt::format("one of {} bytes instead of {}", thousands(part_.size()), thousands(options_.bytes)));
  }
  goes_on();  // the last state
  if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  return true;
}

void Request::refuse(std::string found) {
  part_.remove();
  throw DataError(problem(url_, to_, std::move(found)));
}

void Request::fail(CURLcode code) {
  if (disk_error_ != 0) part_.fail(disk_error_);
  if (!refusal_.empty()) refuse(refusal_);
  if (cancelled_) {
    throw Error(Exit::interrupted, {to_.string(), "the file at " + url_, "an interruption",
                                    part_.size() > 0 ? "what has arrived is kept" : ""});
  }
  if (code == CURLE_HTTP_RETURNED_ERROR) {
    throw DataError(problem(url_, to_, fmt::format("the answer {}", get<long>(CURLINFO_RESPONSE_CODE))));
  }
  throw DataError(problem(url_, to_, quote(reason_[0] != 0 ? reason_ : curl_easy_strerror(code), 160)));
}

// How much of an older part may be gone on from.
std::int64_t usable(const PartialFile& part, const DownloadOptions& options) {
  const std::int64_t most = options.bytes > 0 ? options.bytes : options.max_bytes;
  return options.sha256.empty() || part.size() > most ? 0 : part.size();
}

bool matches(const PartialFile& part, const std::string& sha256) {
  return sha256.empty() || sha256_file(part.path()) == sha256;
}

}  // namespace

Downloaded download(const std::string& url, const fs::path& to, const DownloadOptions& options) {
  check_http(url);
  PartialFile part(to);
  std::int64_t from = usable(part, options);
  while (true) {
    if (const int error = part.cut(from)) part.fail(error);
    const bool whole = from > 0 && from == options.bytes;
    std::int64_t kept = from;
    bool answered = true;
    if (!whole) {
      Request request(url, to, options, part, from);
      answered = request.run();
      kept = request.begun();
    }
    if (answered && matches(part, options.sha256)) {
      part.commit();
      return {.bytes = part.size(), .resumed = kept};
    }
    if (kept == 0 && answered) break;
    from = 0;  // the beginning is of another file than the rest
  }
  const std::string found = "one with SHA-256 " + sha256_file(part.path());
  part.remove();
  Problem wrong = problem(url, to, found);
  wrong.expected += " with SHA-256 " + options.sha256;
  throw DataError(wrong);
}

}  // namespace vaetl
