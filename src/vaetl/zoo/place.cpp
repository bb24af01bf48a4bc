#include "vaetl/zoo/place.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/download.hpp"
#include "vaetl/io/http.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t most_index_bytes = std::int64_t{16} << 20;

bool is_web_address(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

// One process at a time rewrites a folder's index; the lock goes with the process.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

class FolderPlace final : public Place {
 public:
  explicit FolderPlace(fs::path root) : root_(std::move(root)) {}
  std::string address_of(const std::string& file) const override { return (root_ / file).string(); }
  std::optional<std::string> index() override {
    std::error_code ignored;
    if (!fs::exists(root_ / index_file, ignored)) return std::nullopt;
    return read_file(file_of(root_, index_file, address_of(index_file)), most_index_bytes);
  }
  void get(const std::string& file, const FileCard& told, const fs::path& to, const ExchangeOptions&) override {
    const fs::path from = root_ / file, inside = file_of(from.parent_path(), from.filename(), from.string());
    const auto bytes = static_cast<std::int64_t>(fs::file_size(inside));
    if (bytes != told.bytes) {
      throw FileError({inside.string(), fmt::format("{} bytes, as the index tells", told.bytes),
                       fmt::format("{} bytes", bytes), "the place is damaged: tell whoever keeps it"});
    }
    write_atomically(to, read_file(inside, static_cast<std::size_t>(told.bytes)));
  }
  void put(const IndexedEntry& entry, const fs::path& folder, const ExchangeOptions&) override {
    const fs::path target = root_ / entry.name / entry.version;
    make_folder(target.parent_path());
    AtomicFolder files(target);
    for (const auto& [name, told] : entry.files) {
      write_atomically(files.path() / name, read_file(folder / name, static_cast<std::size_t>(told.bytes)));
    }
    files.commit();
    const FolderLock lock(root_);
    write_atomically(root_ / index_file, index_text(with_entry(index_in(*this), entry)));
  }

 private:
  fs::path root_;
};

class WebPlace final : public Place {
 public:
  explicit WebPlace(std::string root) : root_(std::move(root)) {
    while (root_.ends_with('/')) root_.pop_back();
  }
  std::string address_of(const std::string& file) const override { return root_ + "/" + file; }
  std::optional<std::string> index() override {
    HttpAnswer answer = http_get(address_of(index_file), most_index_bytes);
    if (answer.status == 404) return std::nullopt;
    if (answer.status == 200) return std::move(answer.body);
    throw FileError({address_of(index_file), "the index", fmt::format("the answer {}", answer.status), {}});
  }
  void get(const std::string& file, const FileCard& told, const fs::path& to, const ExchangeOptions& options) override {
    DownloadOptions how{.sha256 = told.sha256, .bytes = told.bytes, .max_bytes = told.bytes};
    how.cancelled = options.cancelled;
    if (options.progress) {
      how.progress = [&](std::int64_t done, std::int64_t total) { options.progress(file, done, total); };
    }
    download(address_of(file), to, how);
  }
  void put(const IndexedEntry& entry, const fs::path& folder, const ExchangeOptions& options) override {
    for (const auto& [name, told] : entry.files) {
      send(path_in_place(entry, name), read_file(folder / name, static_cast<std::size_t>(told.bytes)), options);
    }
    send(index_file, index_text(with_entry(index_in(*this), entry)), options);
  }

 private:
  void send(const std::string& file, const std::string& bytes, const ExchangeOptions& options) {
    const HttpAnswer answer = http_put(address_of(file), bytes, options.cancelled);
    if (answer.status >= 200 && answer.status < 300) return;
    throw OutputError({address_of(file), "to be taken by PUT", fmt::format("the answer {}", answer.status),
                       "push to a folder that the server shows"});
  }
  std::string root_;
};

}  // namespace

std::unique_ptr<Place> open_place(const std::string& address) {
  if (is_web_address(address)) return std::make_unique<WebPlace>(address);
  return std::make_unique<FolderPlace>(address);
}

Index index_in(Place& place) {
  const auto text = place.index();
  return text ? read_index(*text, place.address_of(index_file)) : Index{};
}

Index with_entry(Index index, const IndexedEntry& entry) {
  std::erase_if(index.entries,
                [&](const IndexedEntry& other) { return other.name == entry.name && other.version == entry.version; });
  index.entries.push_back(entry);
  std::sort(index.entries.begin(), index.entries.end(), [](const IndexedEntry& a, const IndexedEntry& b) {
    return a.name == b.name ? is_newer(b.version, a.version) : a.name < b.name;
  });
  return index;
}

std::string path_in_place(const IndexedEntry& entry, const std::string& file) {
  return entry.name + "/" + entry.version + "/" + file;
}

}  // namespace vaetl::zoo
