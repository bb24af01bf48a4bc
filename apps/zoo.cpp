// vaetl-zoo: what the zoo holds, whether it is whole, and how a run, or weights of others, get into it.
#include "vaetl/zoo/zoo.hpp"
#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/table.hpp"
#include "apps/zoo/rank.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/nn/adapter.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

std::string metrics_line(const std::map<std::string, double>& metrics) {
  Words parts;
  for (const auto& [name, value] : metrics) parts.push_back(fmt::format("{} {:.4g}", name, value));
  return join(parts);
}

// A card that cannot be read is told and left out: the others are still listed.
Result list(const Words&, const Arguments& arguments) {
  Json entries = Json::array();
  std::vector<Words> rows;
  for (const zoo::Found& found : zoo::list()) {
    try {
      const zoo::Card card = zoo::read_card(found.folder);
      entries.push_back({{"name", found.name},
                         {"folder", found.folder.string()},
                         {"version", card.version},
                         {"summary", card.summary},
                         {"model", card.model.name},
                         {"parameters", card.weights.parameters},
                         {"bytes", card.weights.bytes},
                         {"metrics", card.metrics}});
      rows.push_back({found.name, card.version, card.model.name, std::to_string(card.weights.parameters),
                      metrics_line(card.metrics), card.summary});
    } catch (const Error& error) {
      tell(arguments, error.what());
    }
  }
  const Words header = {"name", "version", "model", "parameters", "metrics", "summary"};
  return {{{"entries", entries}}, rows.empty() ? "the zoo is empty\n" : table_text(header, rows)};
}

std::string inputs_text(const zoo::Card& card) {
  Words parts;
  for (const auto& [name, info] : card.inputs) parts.push_back(name + " " + shape_text(info.shape));
  return join(parts);
}

// For people: of long lists and texts (vocabularies, the model of a tokenizer) the beginning.
Json beginning(Json json) {
  constexpr std::size_t longest_text = 80, longest_list = 12;
  if (json.is_string() && json.get_ref<const std::string&>().size() > longest_text) {
    const std::string quoted = quote(json.get_ref<const std::string&>(), longest_text);
    return quoted.substr(1, quoted.size() - 2);
  }
  if (json.is_array() && json.size() > longest_list) {
    json.erase(json.begin() + static_cast<std::ptrdiff_t>(longest_list), json.end());
    json.push_back("…");
  }
  if (!json.is_structured()) return json;
  for (Json& item : json) item = beginning(std::move(item));
  return json;
}

std::string base_text(const zoo::Card& card) {
  return card.base ? fmt::format("{}, sha256 {}", card.base->name, card.base->sha256) : "";
}

std::string card_table(const zoo::Card& card, const fs::path& folder) {
  std::vector<Words> rows = {{"name", card.name},
                             {"version", card.version},
                             {"summary", card.summary},
                             {"licence", card.licence},
                             {"data licence", card.data_licence},
                             {"base model", card.base_model},
                             {"model", Codec<ModelSpec>::write(card.model).dump()},
                             {"inputs", inputs_text(card)},
                             {"classes", join(card.classes)},
                             {"groups", join(card.groups)},
                             {"capabilities", join(card.capabilities)},
                             {"preprocess", beginning(card.preprocess).dump()},
                             {"parameters", std::to_string(card.weights.parameters)},
                             {"weights", fmt::format("{} bytes, sha256 {}", card.weights.bytes, card.weights.sha256)},
                             {"rest of weights", base_text(card)},
                             {"metrics", metrics_line(card.metrics)},
                             {"training", beginning(card.training).dump()},
                             {"folder", folder.string()}};
  std::erase_if(rows, [](const Words& row) { return row[1].empty(); });
  return table_text({}, rows);
}

std::string only_name(const Words& words, const std::string& what) {
  if (words.size() == 1) return words[0];
  throw ConfigError({"command line", "one " + what, fmt::format("{}", words.size()), "see --help"});
}

Result show(const Words& words, const Arguments&) {
  const fs::path folder = zoo::resolve(only_name(words, "NAME"));
  if (!fs::is_directory(folder)) {
    const zoo::Card card = zoo::load(folder.string()).card;
    return {to_json(card), card_table(card, folder)};
  }
  const zoo::Card card = zoo::read_card(folder);
  Json json = to_json(card);
  json["folder"] = folder.string();
  return {json, card_table(card, folder)};
}

std::vector<fs::path> folders_to_verify(const Words& words, const Arguments& arguments) {
  if (arguments.has("all") && !words.empty()) {
    throw ConfigError({"command line", "NAME or --all", "both", "see --help"});
  }
  std::vector<fs::path> folders;
  for (const std::string& word : words) folders.push_back(zoo::resolve(word));
  if (words.empty()) {
    for (const zoo::Found& found : zoo::list()) folders.push_back(found.folder);
  }
  return folders;
}

// One line on stderr for each entry that is not whole.
Result verify(const Words& words, const Arguments& arguments) {
  Json entries = Json::array();
  std::string text;
  bool whole = true;
  for (const fs::path& folder : folders_to_verify(words, arguments)) {
    const zoo::Verification verification = zoo::verify(folder);
    entries.push_back(verification.json());
    text += verification.text();
    whole = whole && verification.passed();
    for (const zoo::Check& check : verification.checks) {
      if (check.outcome == "failed") std::fprintf(stderr, "vaetl-zoo: %s\n", check.detail.c_str());
    }
  }
  if (entries.empty()) text = "the zoo is empty\n";
  return {{{"passed", whole}, {"entries", entries}}, text, whole ? Exit::ok : Exit::file};
}

// The run behind an entry, as far as its card and its recipe tell.
Run run_of(const zoo::Card& card, const fs::path& folder) {
  Run run;
  run.metrics = card.metrics;
  run.provenance = card.training;
  run.steps = card.training.value("steps", std::int64_t{0});
  run.epochs = card.training.value("epochs", std::int64_t{0});
  run.seconds = card.training.value("seconds", 0.0);
  if (fs::exists(folder / "recipe.json")) run.recipe = read_json((folder / "recipe.json").string());
  return run;
}

// A picture of the run that shows what its model does.
fs::path preview_of(const fs::path& run) {
  for (const char* name : {"samples.png", "reconstructions.png", "mistakes.png"}) {
    if (fs::is_regular_file(run / "pictures" / name)) return run / "pictures" / name;
  }
  return {};
}

// An entry's weights carry theirs; the standard mapping of whatever data come is no property of them.
void check_preprocess(const Model& model, const std::string& reference) {
  if (model.preprocess().is_array()) return;
  throw ConfigError({"--model", "the preprocessing of " + quote(reference) + " too, as an entry carries it", "none",
                     R"({"model": …, "preprocess": ["scale"]} for bytes as shares of 1, [] for raw input)"});
}

Result add(const Words& words, const Arguments& arguments) {
  const std::string reference = only_name(words, "MODEL");
  if (!arguments.has("name")) throw ConfigError({"command line", "--name N", "none", "see --help"});
  const fs::path source = zoo::resolve(reference);
  const Pretrained loaded = load_model(arguments, reference);
  check_preprocess(*loaded.model, reference);
  const auto model = arguments.has("merge") ? nn::merge_adapters(*loaded.model) : loaded.model;
  zoo::SaveOptions options;
  options.summary = arguments.text("summary", loaded.card.summary);
  options.licence = arguments.text("licence", loaded.card.licence);
  options.base_model = arguments.text("base-model", loaded.card.base_model);
  options.version = arguments.text("entry-version", loaded.card.version);
  options.data_licence = loaded.card.data_licence;
  options.classes = loaded.card.classes;
  options.preview = preview_of(source.parent_path());  // a run's entry is its folder model/
  options.delta = arguments.has("delta");
  const std::string name = arguments.text("name");
  const fs::path folder = zoo::save(name, *model, run_of(loaded.card, source), options);
  return {{{"name", name}, {"folder", folder.string()}}, folder.string() + "\n"};
}

Result path(const Words&, const Arguments&) {
  Json folders = Json::array();
  std::string text;
  for (const fs::path& folder : zoo::search_path()) {
    folders.push_back(folder.string());
    text += folder.string() + "\n";
  }
  return {{{"path", folders}}, text};
}

using Command = Result (*)(const Words&, const Arguments&);
const std::map<std::string, Command> commands = {{"list", list}, {"show", show}, {"verify", verify},
                                                 {"add", add},   {"path", path}, {"rank", rank_sources}};
// Which command an option belongs to: with another it would be ignored.
const std::map<std::string, std::string> owners = {{"all", "verify"},  {"name", "add"},       {"summary", "add"},
                                                   {"licence", "add"}, {"base-model", "add"}, {"entry-version", "add"},
                                                   {"model", "add"},   {"merge", "add"},      {"delta", "add"}};

// Of rank, whose flags other programs have too.
std::map<std::string, std::string> flag_owners() {
  auto all = owners;
  for (const Flag& flag : rank_flags()) all[flag.name] = "rank";
  return all;
}

void check_options(const std::string& command, const Words& words, const Arguments& arguments) {
  for (const auto& [flag, owner] : flag_owners()) {
    if (owner == command || !arguments.has(flag)) continue;
    throw ConfigError({"command line", "--" + flag + " with " + owner, "it with " + command, "see --help"});
  }
  if ((command == "list" || command == "path") && !words.empty()) {
    throw ConfigError({"command line", "nothing after " + command, quote(words[0]), "see --help"});
  }
}

Result dispatch(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const auto& [name, command] : commands) names.push_back(name);
  const Words& words = arguments.positional();
  if (words.empty()) throw ConfigError({"command line", "one of " + join(names), "nothing", "see --help"});
  const auto found = commands.find(words[0]);
  if (found == commands.end()) {
    throw ConfigError({"command line", "one of " + join(names), quote(words[0]), did_you_mean(words[0], names)});
  }
  const Words rest(words.begin() + 1, words.end());
  check_options(words[0], rest, arguments);
  return found->second(rest, arguments);
}

std::vector<Flag> with_rank_flags(std::vector<Flag> flags) {
  for (Flag& flag : rank_flags()) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-zoo",
      .synopsis =
          "vaetl-zoo list | path\n"
          "       vaetl-zoo show NAME\n"
          "       vaetl-zoo verify [NAME… | --all]\n"
          "       vaetl-zoo add MODEL --name N [options]\n"
          "       vaetl-zoo rank [SOURCE…] --data REF [options]",
      .purpose = "named, described, verified models",
      .flags = with_rank_flags(
          {{"all", "", "verify: every entry, as without a name"},
           {"name", "N", "add: the entry's name"},
           {"summary", "TEXT", "add: one sentence"},
           {"licence", "TEXT", "add: of the weights"},
           {"base-model", "NAME", "add: what it was transferred from"},
           {"entry-version", "V", "add: of the entry (1.0.0)"},
           {"merge", "", "add: what adapters make of the weights in the weights, no adapters"},
           {"delta", "", "add: only the tensors that differ from those of the entry --base-model"},
           {"model", "JSON", "add: describes a weights file that others made, with its preprocessing"}}),
      .notes =
          "Entries are looked for along VAETL_ZOO (a path list), then the user's folder, then the "
          "one that came with vaetl;\nadd writes to the first of them that can be written. What it takes is a run "
          "folder, an entry or a weights "
          "file.\nWith --delta one base serves many entries: each holds adapters, heads and what else was trained, "
          "and\n"
          "finds the rest in the base, whose checksum it names.\n" +
          rank_notes(),
      .example =
          "  vaetl-zoo add runs/few --name my-classifier --summary 'Ten labels a class'\n"
          "  vaetl-zoo add runs/lora --name my-task --delta --base-model fashion-mnist-conv-vae\n"
          "  vaetl-zoo verify my-classifier\n"
          "  vaetl-zoo rank runs/a runs/b fashion-mnist-simclr --data mnist --labels-per-class 50\n",
      .run = dispatch};
  return run_program(program, argc, argv);
}
