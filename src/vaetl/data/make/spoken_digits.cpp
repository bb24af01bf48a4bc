#include "vaetl/data/make/spoken_digits.hpp"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sound.hpp"

extern char** environ;

namespace vaetl::makers {
namespace {

namespace fs = std::filesystem;

constexpr const char* words[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
constexpr std::int64_t digits = std::size(words);

fs::path find_program() {
  const char* path = std::getenv("PATH");
  std::stringstream folders(path != nullptr ? path : "/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path file = fs::path(folder.empty() ? "." : folder) / "espeak-ng";
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  throw ConfigError({"spoken-digits", "the program espeak-ng along PATH", "none", "apt-get install espeak-ng"});
}

// Runs a program without input or output; whether it ended well.
bool run(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
  }
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return false;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct Saying {
  std::int64_t digit = 0, speed = 0, pitch = 0;
  std::string voice = {};
};

class Speaker {
 public:
  Speaker(const fs::path& folder, std::int64_t rate)
      : program_(find_program()), raw_(folder / "raw.wav"), rate_(rate) {}

  void say(const Saying& saying, const fs::path& file) const {
    std::error_code ignored;
    const bool done = run({program_.string(), "-v", saying.voice, "-s", fmt::format("{}", saying.speed), "-p",
                           fmt::format("{}", saying.pitch), "-w", raw_.string(), words[saying.digit]});
    if (!done || fs::file_size(raw_, ignored) == 0 || ignored) {
      throw ConfigError({"spoken-digits", "a voice that espeak-ng has", quote(saying.voice),
                         "`espeak-ng --voices=en` lists them, `--voices=variant` what may follow a +"});
    }
    const Sound sound = read_sound(raw_);
    const at::Tensor samples = resample(sound.samples.mean(0, /*keepdim=*/true), sound.rate, rate_);
    write_wav(file, to_int16(samples.squeeze(0)), rate_);
    fs::remove(raw_, ignored);
  }

 private:
  fs::path program_, raw_;
  std::int64_t rate_;
};

// The digits and the voices in turn; speed and pitch at random.
Saying saying(const SpokenDigits::Options& options, const std::vector<std::string>& voices, std::uint64_t seed,
              std::int64_t index) {
  auto generator = make_generator(random_key(seed, Purpose::noise, index));
  const at::Tensor uniform = at::rand({2}, generator, at::kDouble);
  const auto between = [&](std::int64_t low, std::int64_t high, std::int64_t which) {
    return low +
           static_cast<std::int64_t>(uniform.const_data_ptr<double>()[which] * static_cast<double>(high - low + 1));
  };
  const auto voice = static_cast<std::size_t>(index / digits) % voices.size();
  return {index % digits, between(options.slowest, options.fastest, 0), between(options.lowest, options.highest, 1),
          voices[voice]};
}

void check_voices(const char* key, const std::vector<std::string>& voices) {
  const std::string where = std::string("spoken-digits.") + key;
  if (voices.empty()) throw ConfigError({where, "at least one voice", "none", {}});
  for (const std::string& voice : voices) {
    // Part of a file's name, and never an option of the program.
    const bool plain =
        !voice.empty() && voice[0] != '-' && std::all_of(voice.begin(), voice.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '_';
        });
    if (!plain) throw ConfigError({where, "names of letters, digits, -, + and _", quote(voice), {}});
  }
}

}  // namespace

void SpokenDigits::Options::validate() const {
  check_voices("train_voices", train_voices);
  check_voices("test_voices", test_voices);
  for (const std::string& voice : test_voices) {
    if (std::find(train_voices.begin(), train_voices.end(), voice) == train_voices.end()) continue;
    throw ConfigError({"spoken-digits.test_voices", "voices that do not train", quote(voice), {}});
  }
  if (slowest > fastest)
    throw ConfigError({"spoken-digits.slowest", "at most fastest", fmt::format("{}", slowest), {}});
  if (lowest > highest) throw ConfigError({"spoken-digits.lowest", "at most highest", fmt::format("{}", lowest), {}});
}

Made SpokenDigits::make(const fs::path& out, const Making& making) const {
  AtomicFolder folder(out);
  const Speaker speaker(folder.path(), options_.rate);
  const auto held = std::llround(options_.test_share * static_cast<double>(options_.count));
  for (std::int64_t i = 0; i < options_.count; ++i) {
    const bool test = i >= options_.count - held;
    const Saying each = saying(options_, test ? options_.test_voices : options_.train_voices, making.seed, i);
    const fs::path place = folder.path() / (test ? "test" : "train") / fmt::format("{}", each.digit);
    make_folder(place);
    speaker.say(each, place / fmt::format("{:06}-{}-s{}-p{}.wav", i, each.voice, each.speed, each.pitch));
    if (making.progress) making.progress(i + 1, options_.count);
  }
  folder.commit();
  return {{{"sound", out.string()}}, options_.count, {{"classes", digits}, {"rate", options_.rate}}};
}

}  // namespace vaetl::makers
