#include "vaetl/transfer/methods/adapters.hpp"

namespace vaetl::transfer {

Json adapters_patch(const std::string& to, const Json& adapter, double lr) {
  Json rule{{"to", to}};
  rule.update(adapter);
  return {{"transfer", {{"freeze", {"backbone"}}, {"adapters", Json::array({rule})}}},
          {"trainer", {{"optimizer", {{"name", "adamw"}, {"lr", lr}}}}}};
}

}  // namespace vaetl::transfer
