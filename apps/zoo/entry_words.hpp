// What add and import share: what a person says of an entry, and what is measured for its card.
#pragma once
#include "apps/zoo/command.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {

// --name, --card, --summary, --licence, …, --data, --split, --measure.
std::vector<Flag> entry_flags();
std::string entry_notes();

// What --card FILE and the flags say, a flag before the file, and where neither says anything what `known` has.
zoo::SaveOptions entry_options(const Arguments& arguments, const zoo::Card& known);

// Metrics of the card: measured on --data, or else again where the card's own are, if those have a name or `own` says
// that they are the user's. Where the data are not there the card's stay as they are, and a line says so. Those that
// others told stand beside them.
std::map<std::string, zoo::MetricCard> entry_metrics(const Arguments& arguments, const Pretrained& loaded, bool own,
                                                     std::map<std::string, zoo::MetricCard> told);

// Saves, and tells where.
Result save_entry(const Arguments& arguments, Model& model, const Run& run, const zoo::SaveOptions& options);

}  // namespace vaetl::apps
