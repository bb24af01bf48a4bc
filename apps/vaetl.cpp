// vaetl: runs vaetl-<task>, which lies beside it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/text.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int usage_error = 2, output_error = 7, internal_error = 1;

const std::map<std::string, std::string> purposes = {
    {"train", "trains what a recipe says"},
    {"transfer", "adapts a trained model to a task, with few labels if need be"},
    {"evaluate", "scores a model on data"},
    {"predict", "writes what a model says of files, rows, lines or data"},
    {"encode", "writes latents, and maps of them"},
    {"generate", "makes new data: pictures, arrays, texts"},
    {"reconstruct", "rebuilds examples from their codes"},
    {"detect", "finds what is odd"},
    {"enhance", "repairs and restyles pictures"},
    {"compress", "stores pictures small and without loss"},
    {"decompress", "makes again the pictures that compress stored"},
    {"sweep", "runs a recipe many times and compares"},
    {"report", "makes one self-contained page of runs and sweeps"},
    {"zoo", "lists, shows, verifies and adds named models"},
    {"data", "lists, shows, checks, splits, converts, makes and fetches data"},
    {"doctor", "tells what is here, what is missing and how fast it is"}};

fs::path own_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path();
}

std::vector<std::string> tasks_in(const fs::path& folder) {
  const std::string prefix = "vaetl-";
  std::vector<std::string> tasks;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(prefix) && ::access(it->path().c_str(), X_OK) == 0)
      tasks.push_back(name.substr(prefix.size()));
  }
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

std::string help_text(const std::vector<std::string>& tasks) {
  std::string text =
      "vaetl: trains models, ships them in a zoo, and adapts them to a new task with few labels\n\n"
      "Usage: vaetl TASK …, which runs vaetl-TASK\n\nTasks:\n";
  for (const std::string& task : tasks) {
    const auto purpose = purposes.find(task);
    text += "  " + task + std::string(task.size() < 12 ? 12 - task.size() : 1, ' ') +
            (purpose == purposes.end() ? "" : purpose->second) + "\n";
  }
  return text +
         "\nOptions of a task: vaetl TASK --help\n\n"
         "Example:\n  vaetl train recipes/fashion-cnn.json --out runs/cnn\n";
}

int print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "vaetl: standard output: expected to be written, found %s\n", std::strerror(errno));
  return output_error;
}

int refuse(const std::string& line) {
  std::fprintf(stderr, "vaetl: %s\n", line.c_str());
  return usage_error;
}

// Only returns where it could not run.
int run_task(const fs::path& folder, const std::string& task, std::vector<char*> rest) {
  std::string program = (folder / ("vaetl-" + task)).string();
  rest.insert(rest.begin(), program.data());
  rest.push_back(nullptr);
  ::execv(program.c_str(), rest.data());
  std::fprintf(stderr, "vaetl: %s: expected a program, found %s\n", program.c_str(), std::strerror(errno));
  return internal_error;
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = own_folder();
  const std::vector<std::string> tasks = tasks_in(folder);
  if (argc < 2) return refuse("command line: expected a task, found nothing; `vaetl --help` lists them");
  std::string word = argv[1];
  std::vector<char*> rest(argv + 2, argv + argc);
  std::string help_flag = "--help";
  if (word == "--version") return print("vaetl " VAETL_VERSION "\n");
  if (word == "--help" || word == "-h" || word == "help") {
    if (rest.empty()) return print(help_text(tasks));
    word = rest[0];  // `vaetl help train`
    rest = {help_flag.data()};
  }
  if (std::count(tasks.begin(), tasks.end(), word) > 0) return run_task(folder, word, rest);
  return refuse("command line: expected a task that --help lists, found " + vaetl::quote(word) + "; " +
                vaetl::did_you_mean(word, tasks));
}
