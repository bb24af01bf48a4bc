#include "apps/support/program.hpp"

#include <c10/util/Exception.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>

#include "apps/support/startup.hpp"
#include "apps/support/topics.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::apps {
namespace {

void write_stdout(const std::string& text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return;  // whoever reads has enough, as head does
  throw OutputError({"standard output", "to be written", std::strerror(errno), {}});
}

// Bytes that are no UTF-8 (a path, say) are replaced: what is printed is always JSON.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

bool wants_json(int argc, char** argv) {
  const auto end = std::find(argv + 1, argv + argc, std::string_view("--"));
  return std::find(argv + 1, end, std::string_view("--json")) != end;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Error out_of_memory() {
  return DeviceError({"memory", "as much as the run needs", "no more of it on the machine or the device",
                      "make trainer.batch_size or the model smaller"});
}

Error defect(const std::string& what) {
  return Error(Exit::internal, {"internal", {}, first_line(what), "this is a defect of vaetl: please report it"});
}

Error defect(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  if (text.find("can't allocate memory") != std::string::npos) return out_of_memory();
  return defect(text);
}

// The exception in flight as one of ours.
Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const c10::OutOfMemoryError&) {
    return out_of_memory();
  } catch (const c10::Error& error) {
    return defect(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& error) {
    return defect(error.what());
  } catch (...) {
    return defect("an exception of an unknown type");
  }
}

Json error_json(const Error& error) {
  const Problem& p = error.problem;
  return {{"error",
           {{"code", static_cast<int>(error.exit_code)},
            {"where", p.where},
            {"expected", p.expected},
            {"found", p.found},
            {"remedy", p.remedy},
            {"message", error.what()}}}};
}

int report_error(const std::string& program, bool json) {
  const Error error = current_error();
  std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
  try {
    if (json) write_stdout(dump(error_json(error)));
  } catch (const Error&) {  // stdout cannot be written: stderr has said all there is
  }
  return static_cast<int>(error.exit_code);
}

// A file that is read is not replaced by what is made of it.
void check_out(const Arguments& arguments) {
  if (!arguments.has("out")) return;
  const std::string out = arguments.text("out");
  for (const std::string& given : arguments.positional()) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(given, ignored) || !std::filesystem::equivalent(given, out, ignored))
      continue;
    throw ConfigError({"--out", "another file than the one that is read", quote(out), {}});
  }
}

Result run(const Program& program, const Arguments& arguments) {
  if (arguments.has("version")) {
    return {{{"program", program.name}, {"version", VAETL_VERSION}}, program.name + " " VAETL_VERSION "\n"};
  }
  if (arguments.has("help")) {
    std::string text = program.help ? program.help(arguments) : std::string();
    if (text.empty()) {
      text = arguments.positional().empty() ? help_text(program) : topic_text(arguments.positional());
    }
    return {{{"help", text}}, text};
  }
  check_out(arguments);
  return program.run(arguments);
}

int run_and_report(const Program& program, int argc, char** argv) {
  const bool json = wants_json(argc, argv);
  try {
    start_up();
    const Result result = run(program, parse_arguments(program, argc, argv));
    write_stdout(json ? dump(result.json) : result.text);
    return static_cast<int>(result.exit);
  } catch (...) {
    return report_error(program.name, json);
  }
}

}  // namespace

void run_program(const Program& program, int argc, char** argv) {
  const int code = run_and_report(program, argc, argv);
  std::fflush(nullptr);
  std::_Exit(code);  // LibTorch would take down its table of operators, one by one, for 70 milliseconds
}

void check_place(const std::string& out) {
  const std::filesystem::path file(out), parent = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) throw OutputError({out, "a file", "a folder", "name a file in it"});
  if (std::filesystem::is_directory(parent, ignored)) return;
  throw OutputError({out, "a folder that is there", "none of the name " + quote(parent.string()), "make it first"});
}

Flag out_flag(const std::string& value, const std::string& text) { return {"out", value, text}; }
Flag device_flag() { return {"device", "NAME", "auto, cpu, cuda or cuda:N (auto)"}; }
Flag threads_flag() { return {"threads", "N", "threads of the CPU (all cores, or OMP_NUM_THREADS)"}; }
Flag seed_flag(const std::string& text) { return {"seed", "N", text}; }

void tell(const Arguments& arguments, const std::string& line) {
  if (!arguments.has("quiet")) std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace vaetl::apps
