#include "apps/zoo/entry_words.hpp"

#include "apps/support/startup.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/measure.hpp"

namespace vaetl::apps {
namespace {

// The keys of --card FILE; each text has a flag of its name, too, with - for _.
struct EntryWords {
  std::string summary = {}, version = {}, licence = {}, data_licence = {}, intended_use = {}, limits = {};
  std::string citation = {}, trained_on = {}, base_model = {}, licence_file = {}, preview = {};
  std::vector<std::string> classes = {};
  std::map<std::string, zoo::MetricCard> metrics = {};
  static constexpr auto fields() {
    using W = EntryWords;
    return std::tuple{field("summary", &W::summary, "one sentence"),
                      field("version", &W::version, "of the entry (1.0.0)"),
                      field("licence", &W::licence, "of the weights, such as MIT"),
                      field("data_licence", &W::data_licence, "of the training data"),
                      field("intended_use", &W::intended_use, "what it is for"),
                      field("limits", &W::limits, "what it is not for, and where it fails"),
                      field("citation", &W::citation, "whom to cite"),
                      field("trained_on", &W::trained_on, "the training data's name (the run's)"),
                      field("base_model", &W::base_model, "what it was transferred from"),
                      field("licence_file", &W::licence_file, "the licence's text, which becomes LICENSE"),
                      field("preview", &W::preview, "a PNG that shows what it does (a run's own)"),
                      field("classes", &W::classes, "names of the labels"),
                      field("metrics", &W::metrics, "that others measured and told")};
  }
};

// --version asks for that of the program.
std::string flag_name(std::string_view key) {
  if (key == "version") return "entry-version";
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// Calls use(flag, member, text) for every key that is a text.
template <class Use>
void for_each_text(Use&& use) {
  const auto visit = [&](const auto& f) {
    if constexpr (std::is_same_v<decltype(f.member), std::string EntryWords::*>) use(flag_name(f.key), f.member, f.doc);
  };
  std::apply([&](const auto&... f) { (visit(f), ...); }, EntryWords::fields());
}

// Files that --card names lie beside it.
EntryWords read_words(const Arguments& arguments) {
  EntryWords words;
  if (arguments.has("card")) {
    const std::string file = arguments.text("card");
    words = from_json<EntryWords>(read_json(file), file);
    for (std::string* path : {&words.licence_file, &words.preview}) {
      if (!path->empty()) *path = (std::filesystem::path(file).parent_path() / *path).string();
    }
  }
  for_each_text(
      [&](const std::string& flag, auto member, auto) { words.*member = arguments.text(flag, words.*member); });
  return words;
}

bool same_value(double a, double b) { return std::abs(a - b) <= 1e-3 * std::abs(b) + 1e-9; }

void tell_differences(const Arguments& arguments, const std::map<std::string, zoo::MetricCard>& now,
                      const std::map<std::string, zoo::MetricCard>& told) {
  for (const auto& [name, metric] : now) {
    const auto before = told.find(name);
    if (before == told.end() || same_value(metric.value, before->second.value)) continue;
    tell(arguments, fmt::format("{}: {:.6g} as it was told, {:.6g} measured now, which the card gets", name,
                                before->second.value, metric.value));
  }
}

std::map<std::string, zoo::MetricCard> measured(const Arguments& arguments, const Pretrained& loaded,
                                                const zoo::MeasureRequest& request) {
  auto now = zoo::measure(*loaded.model, request);
  for (auto& [name, metric] : now) metric.how = "when the entry was made";
  tell_differences(arguments, now, loaded.card.metrics);
  return now;
}

// What the card tells, measured again where its data are.
std::map<std::string, zoo::MetricCard> measured_again(const Arguments& arguments, const Pretrained& loaded, bool own) {
  auto metrics = loaded.card.metrics;
  for (const zoo::MeasureRequest& request : zoo::requests_of(loaded.card.metrics)) {
    if (request.data.empty() || (!own && !zoo::is_named_data(request.data))) continue;
    try {
      for (const auto& [name, metric] : measured(arguments, loaded, request)) {
        if (metrics.contains(name)) metrics[name] = metric;
      }
    } catch (const DataError& error) {
      tell(arguments, fmt::format("{} is not measured again: {}", join(request.metrics), error.what()));
    }
  }
  return metrics;
}

// On --data: what --measure names, or what the card has, and what --judge says.
std::map<std::string, zoo::MetricCard> measured_on(const Arguments& arguments, const Pretrained& loaded) {
  zoo::MeasureRequest request{arguments.text("data"), arguments.text("split")};
  if (arguments.has("measure")) request.metrics = arguments.list("measure");
  for (const auto& [name, metric] : loaded.card.metrics) {
    if (!arguments.has("measure") && metric.judge.empty()) request.metrics.push_back(name);
  }
  const bool judges = arguments.has("judge");
  if (request.metrics.empty() && !judges) {
    throw ConfigError({"command line", "--measure A,B", "none", "say what to measure"});
  }
  std::map<std::string, zoo::MetricCard> metrics;
  if (!request.metrics.empty()) metrics = measured(arguments, loaded, request);
  if (!judges) return metrics;
  request.judge = arguments.text("judge");
  metrics.merge(measured(arguments, loaded, request));
  return metrics;
}

// Measured now, or what the card has.
std::map<std::string, zoo::MetricCard> own_metrics(const Arguments& arguments, const Pretrained& loaded, bool own) {
  set_threads(arguments);
  if (arguments.has("data")) return measured_on(arguments, loaded);
  for (const char* flag : {"measure", "split", "judge"}) {
    if (!arguments.has(flag)) continue;
    throw ConfigError({"command line", "--data REF beside --" + std::string(flag), "none", "see --help"});
  }
  return arguments.has("as-told") ? loaded.card.metrics : measured_again(arguments, loaded, own);
}

}  // namespace

std::vector<Flag> entry_flags() {
  std::vector<Flag> flags = {{"name", "N", "the entry's name"},
                             {"card", "FILE.json", "the following as data, {\"summary\": …, \"limits\": …, …}"}};
  for_each_text([&](const std::string& flag, auto, std::string_view text) {
    flags.push_back({flag, flag == "preview" || flag == "licence-file" ? "FILE" : "TEXT", std::string(text)});
  });
  flags.push_back({"data", "REF", "measure the metrics on these data (where the card says that it was done)"});
  flags.push_back({"split", "NAME", "of --data: test, validation or train (test)"});
  flags.push_back({"measure", "A,B", "what to measure on --data (what the card has)"});
  flags.push_back({"judge", "ENTRY", "a classifier of the zoo: what it says of this generator's samples, on --data"});
  flags.push_back({"as-told", "", "take the metrics as they are, without measuring"});
  flags.push_back(threads_flag());
  return flags;
}

std::string entry_notes() {
  return "Metrics are measured when the entry is made, with intervals, wherever their data are at hand. Texts of\n"
         "several sentences, and names of classes, are best kept in --card FILE.json, whose keys are those of the\n"
         "options with _ for - (version for --entry-version), \"classes\", and \"metrics\" that others told, as a card "
         "has\n"
         "them; files that it names lie beside it.\n";
}

zoo::SaveOptions entry_options(const Arguments& arguments, const zoo::Card& known) {
  if (!arguments.has("name")) throw ConfigError({"command line", "--name N", "none", "see --help"});
  const EntryWords words = read_words(arguments);
  const auto either = [](const std::string& said, const std::string& before) { return said.empty() ? before : said; };
  zoo::SaveOptions options;
  options.summary = either(words.summary, known.summary);
  options.version = either(words.version, known.version);
  options.licence = either(words.licence, known.licence);
  options.data_licence = either(words.data_licence, known.data_licence);
  options.intended_use = either(words.intended_use, known.intended_use);
  options.limits = either(words.limits, known.limits);
  options.citation = either(words.citation, known.citation);
  options.base_model = either(words.base_model, known.base_model);
  options.classes = words.classes.empty() ? known.classes : words.classes;
  options.metrics = words.metrics;
  options.trained_on = words.trained_on;
  options.licence_file = words.licence_file;
  options.preview = words.preview;
  return options;
}

std::map<std::string, zoo::MetricCard> entry_metrics(const Arguments& arguments, const Pretrained& loaded, bool own,
                                                     std::map<std::string, zoo::MetricCard> told) {
  auto metrics = own_metrics(arguments, loaded, own);
  metrics.merge(told);
  return metrics;
}

Result save_entry(const Arguments& arguments, Model& model, const Run& run, const zoo::SaveOptions& options) {
  const std::string name = arguments.text("name");
  const std::filesystem::path folder = zoo::save(name, model, run, options);
  return {{{"name", name}, {"folder", folder.string()}}, folder.string() + "\n"};
}

}  // namespace vaetl::apps
