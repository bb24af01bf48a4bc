// Equal examples have equal fingerprints; nearly equal ones are found among those that are left, one of each kind.
#include "vaetl/core/text.hpp"
#include "vaetl/data/check/findings.hpp"
#include "vaetl/data/check/fingerprints.hpp"
#include "vaetl/data/check/near_pictures.hpp"
#include "vaetl/data/check/small_pictures.hpp"
#include "vaetl/data/summary.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t shown = 5;  // groups of a finding, and examples of a group

using Prints = std::vector<Fingerprint>;
using Run = std::span<const Fingerprint>;

bool before(const Fingerprint& a, const Fingerprint& b) {
  return std::tuple(a.split, a.index) < std::tuple(b.split, b.index);
}

// Calls back with every run of neighbours that belong together.
template <class Same, class Use>
void for_runs(const Prints& prints, Same&& same, Use&& use) {
  for (std::size_t begin = 0, end = 0; begin < prints.size(); begin = end) {
    for (end = begin + 1; end < prints.size() && same(prints[begin], prints[end]);) ++end;
    use(Run(prints.data() + begin, end - begin));
  }
}

// One finding as it grows: what is counted, and its first groups in the order of the data.
struct Tally {
  std::int64_t count = 0;
  std::vector<std::vector<Fingerprint>> groups = {};

  void add(std::int64_t more, std::vector<Fingerprint> group) {
    count += more;
    const auto place = std::lower_bound(groups.begin(), groups.end(), group,
                                        [](const auto& a, const auto& b) { return before(a.front(), b.front()); });
    groups.insert(place, std::move(group));
    if (groups.size() > shown) groups.pop_back();
  }
};

struct Pair {
  std::int32_t first = 0, second = 0;  // splits
  bool operator<(const Pair& other) const { return std::tuple(first, second) < std::tuple(other.first, other.second); }
};

class EqualChecker {
 public:
  EqualChecker(const CheckedSplits& splits, const CheckOptions& options, Findings& findings)
      : splits_(splits), options_(options), findings_(findings) {
    const Form form = form_of(splits.data[0].info());
    error_ = form != Form::table;
    pictures_ = form == Form::pictures;
  }

  void run() {
    Fingerprints found = fingerprints(splits_.data);
    prints_ = std::move(found.all);
    tell_unknown(found.unknown);
    find_equal();
    if (!options_.near) return;
    find_alike();
    if (pictures_) find_near();
  }

 private:
  void tell_unknown(std::int64_t count) {
    if (count == 0) return;
    findings_.push_back({false,
                         "not_compared",
                         "",
                         count,
                         "texts have words that the vocabulary lacks, and were not compared with others",
                         {}});
  }

  void find_equal() {
    std::sort(prints_.begin(), prints_.end(), [](const Fingerprint& a, const Fingerprint& b) {
      return std::tuple(a.high, a.low, a.split, a.index) < std::tuple(b.high, b.low, b.split, b.index);
    });
    std::map<std::int32_t, Tally> duplicates;
    std::map<Pair, Tally> leaks;
    Tally conflicts;
    for_runs(
        prints_, [](const auto& a, const auto& b) { return a.same(b); },
        [&](Run run) {
          if (run.size() < 2) return;
          add_within(run, duplicates);
          add_between(run, leaks);
          add_conflict(run, conflicts);
        });
    for (const auto& [split, tally] : duplicates) {
      tell(false, "duplicates", name(split), tally, "examples repeat the input of another one");
    }
    tell(error_, "conflicts", "", conflicts, "examples have the input of another one, but another label");
    for (const auto& [pair, tally] : leaks) {
      tell(error_, "leaks", name(pair.first) + ", " + name(pair.second), tally,
           fmt::format("examples of {} have an input that stands in {}", name(pair.second), name(pair.first)));
    }
  }

  static void add_within(Run run, std::map<std::int32_t, Tally>& tallies) {
    for (std::size_t begin = 0, end = 0; begin < run.size(); begin = end) {
      for (end = begin; end < run.size() && run[end].split == run[begin].split;) ++end;
      if (end - begin > 1)
        tallies[run[begin].split].add(count(end - begin - 1), first_of(run.subspan(begin, end - begin)));
    }
  }

  // Examples of a later split whose input the earlier one has.
  static void add_between(Run run, std::map<Pair, Tally>& tallies) {
    for (std::size_t i = 1; i < run.size(); ++i) {
      for (std::size_t j = 0; j < i && run[j].split < run[i].split; ++j) {
        if (j == 0 || run[j].split > run[j - 1].split) tallies[{run[j].split, run[i].split}].add(1, {run[j], run[i]});
      }
    }
  }

  static void add_conflict(Run run, Tally& tally) {
    const auto differs = [&](const Fingerprint& print) { return print.label != run[0].label; };
    const auto other = std::find_if(run.begin(), run.end(), differs);
    if (other == run.end() || run[0].label < 0) return;
    std::map<std::int32_t, std::int64_t> labels;
    for (const Fingerprint& print : run) ++labels[print.label];
    std::int64_t most = 0;
    for (const auto& [label, examples] : labels) most = std::max(most, examples);
    tally.add(count(run.size()) - most, {run[0], *other});
  }

  static std::int64_t count(std::size_t size) { return static_cast<std::int64_t>(size); }
  static std::vector<Fingerprint> first_of(Run run) {
    const Run first = run.first(std::min(run.size(), shown));
    return {first.begin(), first.end()};
  }

  // One of each kind of equal examples, in the order of the data.
  Prints distinct() const {
    Prints result;
    for_runs(
        prints_, [](const auto& a, const auto& b) { return a.same(b); }, [&](Run run) { result.push_back(run[0]); });
    std::sort(result.begin(), result.end(), before);
    return result;
  }

  // Texts that differ in case, blanks and signs alone.
  void find_alike() {
    Prints prints = distinct();
    std::erase_if(prints, [](const Fingerprint& print) { return print.alike == 0; });
    std::stable_sort(prints.begin(), prints.end(), [](const auto& a, const auto& b) { return a.alike < b.alike; });
    std::map<Pair, Tally> tallies;
    for_runs(
        prints, [](const auto& a, const auto& b) { return a.alike == b.alike; },
        [&](Run run) {
          for (std::size_t i = 1; i < run.size(); ++i) tallies[{run[0].split, run[i].split}].add(1, {run[0], run[i]});
        });
    tell_near(tallies, "texts equal another one but for case, blanks and signs");
  }

  void find_near() {
    const SmallPictures pictures = small_pictures(splits_.data, distinct(), options_.most_pictures);
    if (!pictures.values.defined()) return;
    const NearPairs found = near_pictures(pictures.values, options_.correlation);
    std::map<Pair, Tally> tallies;
    std::map<Pair, std::set<std::int64_t>> counted;
    for (const NearPair& pair : found.pairs) {
      const Fingerprint& a = pictures.of[static_cast<std::size_t>(pair.a)];
      const Fingerprint& b = pictures.of[static_cast<std::size_t>(pair.b)];
      const bool fresh = counted[{a.split, b.split}].insert(pair.b).second;
      tallies[{a.split, b.split}].add(fresh ? 1 : 0, {a, b});
    }
    std::string text = fmt::format("pictures correlate with another one by {:.3g} or more", options_.correlation);
    if (pictures.left > 0) text += fmt::format("; {} pictures were not compared", thousands(pictures.left));
    if (found.incomplete > 0) text += "; so many are alike that not all were found";
    tell_near(tallies, text);
  }

  void tell_near(const std::map<Pair, Tally>& tallies, const std::string& text) {
    for (const auto& [pair, tally] : tallies) {
      const bool within = pair.first == pair.second;
      const std::string split = within ? name(pair.first) : name(pair.first) + ", " + name(pair.second);
      tell(false, within ? "near_duplicates" : "near_leaks", split, tally, text);
    }
  }

  void tell(bool error, const char* kind, const std::string& split, const Tally& tally, std::string text) {
    if (tally.count == 0) return;
    Finding finding{error, kind, split, tally.count, std::move(text), {}};
    for (const auto& group : tally.groups) {
      auto& places = finding.examples.emplace_back();
      for (const Fingerprint& print : group) places.push_back({name(print.split), print.index});
    }
    findings_.push_back(std::move(finding));
  }

  const std::string& name(std::int32_t split) const { return splits_.names[static_cast<std::size_t>(split)]; }

  const CheckedSplits& splits_;
  const CheckOptions& options_;
  Findings& findings_;
  Prints prints_ = {};
  bool error_ = true, pictures_ = false;
};

}  // namespace

void check_equal(const CheckedSplits& splits, const CheckOptions& options, Findings& findings) {
  if (splits.data.empty() || !splits.data[0].has("input")) return;
  EqualChecker(splits, options, findings).run();
}

}  // namespace vaetl::data
