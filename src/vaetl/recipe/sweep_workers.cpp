// Worker processes: forked, fed one task at a time through a socket, replaced when they die.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"
#include "vaetl/recipe/sweep_parts.hpp"

namespace vaetl::recipe {
namespace {

constexpr int poll_milliseconds = 100;

struct Worker {
  pid_t pid = -1;
  Descriptor socket;
  std::optional<std::size_t> task = {};
};

bool send_all(int socket, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(socket, bytes, size, MSG_NOSIGNAL);  // a dead reader is no SIGPIPE
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t size) {
  return read_fully(socket, data, size) == static_cast<std::int64_t>(size);
}

bool send_text(int socket, const std::string& text) {
  const std::uint64_t size = text.size();
  return send_all(socket, &size, sizeof size) && send_all(socket, text.data(), text.size());
}

bool receive_text(int socket, std::string& text) {
  std::uint64_t size = 0;
  if (!receive_all(socket, &size, sizeof size) || size > (std::uint64_t{1} << 24)) return false;
  text.resize(size);
  return receive_all(socket, text.data(), size);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Json failure_json(const std::string& message, Exit code) {
  return {{"message", first_line(message)}, {"code", static_cast<int>(code)}};
}

Json attempt(const WorkerSettings& settings, std::size_t task) {
  try {
    settings.work(task);
    return {};
  } catch (const Error& error) {
    return failure_json(error.what(), error.exit_code);
  } catch (const std::exception& error) {
    return failure_json(std::string("internal error: ") + error.what(), Exit::internal);
  }
}

// A worker's whole life. It ends with its parent, and leaves the parent's signals, buffers and exit handlers alone.
[[noreturn]] void serve(int socket, pid_t parent, const WorkerSettings& settings) {
  std::signal(SIGINT, SIG_IGN);  // the terminal sends it to all; the parent decides
  std::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  settings.begin();
  std::uint64_t task = 0;
  while (receive_all(socket, &task, sizeof task)) {
    const Json failure = attempt(settings, static_cast<std::size_t>(task));
    if (!send_text(socket, failure.dump(-1, ' ', false, Json::error_handler_t::replace))) break;
  }
  ::_exit(0);
}

std::string death(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return fmt::format("its process was ended by: {}", ::strsignal(WTERMSIG(status)));
  return fmt::format("its process ended with exit code {}", WEXITSTATUS(status));
}

class Pool {
 public:
  Pool(const std::vector<std::size_t>& tasks, const WorkerSettings& settings) : tasks_(tasks), settings_(settings) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  ~Pool() {
    for (Worker& worker : workers_) ::kill(worker.pid, SIGTERM);
    for (Worker& worker : workers_) death(worker.pid);
  }

  bool run() {
    const auto jobs = std::min(tasks_.size(), static_cast<std::size_t>(std::max(1, settings_.jobs)));
    while (workers_.size() < jobs) start();
    while (!workers_.empty()) {
      if (settings_.stop && settings_.stop()) return false;
      wait();
    }
    return true;
  }

 private:
  void start() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("a socket");
    Descriptor mine(ends[0]), theirs(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) fail("a new process");
    if (pid == 0) {
      mine.close();
      for (Worker& sibling : workers_) sibling.socket.close();
      serve(theirs.get(), parent, settings_);
    }
    workers_.push_back({pid, std::move(mine), {}});
    feed(workers_.back());
  }

  [[noreturn]] void fail(const char* what) const {
    throw Error(Exit::internal, {"sweep", what, std::strerror(errno), "lower --jobs"});
  }

  // The next task, or the end of the work: then the worker's socket closes and it leaves.
  void feed(Worker& worker) {
    worker.task.reset();
    if (next_ == tasks_.size()) {
      worker.socket.close();
      return;
    }
    worker.task = tasks_[next_++];
    const std::uint64_t number = *worker.task;
    send_all(worker.socket.get(), &number, sizeof number);  // a failure shows as a closed socket
  }

  void wait() {
    std::vector<pollfd> sockets;
    for (const Worker& worker : workers_) sockets.push_back({worker.socket.get(), POLLIN, 0});
    if (::poll(sockets.data(), sockets.size(), poll_milliseconds) <= 0) return;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].revents != 0) read_reply(workers_[i]);
    }
    retire();
  }

  void read_reply(Worker& worker) {
    const std::size_t task = *worker.task;
    std::string text;
    if (receive_text(worker.socket.get(), text)) {
      feed(worker);
      settings_.done(task, Json::parse(text));
    } else {
      worker.socket.close();
      worker.task.reset();
      settings_.done(task, failure_json(death(std::exchange(worker.pid, -1)), Exit::internal));
    }
  }

  // Workers without a task leave; one that died is replaced where there is work.
  void retire() {
    for (Worker& worker : workers_) {
      if (!worker.task && worker.pid > 0) death(std::exchange(worker.pid, -1));
    }
    const auto lost = std::erase_if(workers_, [](const Worker& worker) { return worker.pid < 0; });
    for (std::size_t i = 0; i < lost && next_ < tasks_.size(); ++i) start();
  }

  const std::vector<std::size_t>& tasks_;
  const WorkerSettings& settings_;
  std::vector<Worker> workers_;
  std::size_t next_ = 0;
};

}  // namespace

bool run_in_processes(const std::vector<std::size_t>& tasks, const WorkerSettings& settings) {
  return Pool(tasks, settings).run();
}

}  // namespace vaetl::recipe
