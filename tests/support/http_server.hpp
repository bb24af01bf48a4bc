// A local HTTP server with faults (http_server.py), for tests of what comes over a network. It runs while the object
// lives, and no longer than this program.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

extern char** environ;

namespace vaetl::testing {

class HttpServer {
 public:
  HttpServer() {
    ::setenv("no_proxy", "*", 1);
    int to[2] = {}, from[2] = {};
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    std::string program = "python3", script = "tests/support/http_server.py";
    char* arguments[] = {program.data(), script.data(), nullptr};
    const int error = ::posix_spawnp(&process_, "python3", &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(to[0]);
    ::close(from[1]);
    input_ = to[1];
    std::string port;
    for (char c = 0; error == 0 && ::read(from[0], &c, 1) == 1 && c != '\n';) port += c;
    ::close(from[0]);
    if (port.empty())
      throw std::runtime_error("tests/support/http_server.py does not start: run from the repository's root");
    base_ = "http://127.0.0.1:" + port;
  }
  ~HttpServer() {
    ::close(input_);
    ::waitpid(process_, nullptr, 0);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "/ok/1000.bin" → the address.
  std::string operator()(const std::string& path) const { return base_ + path; }

  // The bytes of a file of that size.
  static std::string content(std::size_t count) {
    std::string bytes(count, '\0');
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(31 * i + i / 251);
    return bytes;
  }

 private:
  pid_t process_ = 0;
  int input_ = -1;
  std::string base_;
};

}  // namespace vaetl::testing
