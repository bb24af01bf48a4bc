// Cards of older format versions in the words of the present one.
//
//   1  inputs: {"shape": sizes without N, −1 for any, "dtype", "low", "high"}, equal ends for no range; metrics are
//      numbers on the test split; no outputs, files or checksum of the card itself
//   2  the present one
//
// What has another form than its version allows is left as it is, and refused by whoever reads the result.
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {
namespace {

Json upgraded_input(Json input) {
  if (!input.is_object()) return input;
  if (const auto shape = input.find("shape"); shape != input.end() && shape->is_array()) {
    Json sizes = Json::array({"N"});
    for (const Json& size : *shape) sizes.push_back(size == -1 ? Json("any") : size);
    *shape = sizes;
  }
  const Json low = input.value("low", Json()), high = input.value("high", Json());
  if (low == high) {
    input.erase("low");
    input.erase("high");
  }
  return input;
}

void upgrade_to_2(Json& card) {
  if (const auto inputs = card.find("inputs"); inputs != card.end() && inputs->is_object()) {
    for (Json& input : *inputs) input = upgraded_input(input);
  }
  if (const auto metrics = card.find("metrics"); metrics != card.end() && metrics->is_object()) {
    for (Json& metric : *metrics) {
      if (metric.is_number()) metric = {{"value", metric}, {"split", "test"}};
    }
  }
}

}  // namespace

Json upgraded_card(Json card) {
  if (card.is_object() && card.value("format_version", Json()) == 1) upgrade_to_2(card);
  return card;
}

}  // namespace vaetl::zoo
