// Some layer groups train beside the head, the others stand still.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class Partial final : public Method {
 public:
  static constexpr std::string_view name = "partial";
  struct Options {
    std::int64_t last = 1;
    std::vector<std::string> groups = {};
    static constexpr auto fields() {
      return std::tuple{
          field("last", &Options::last, "so many layer groups of the backbone train, the last ones", between(0, 1e6)),
          field("groups", &Options::groups, "in their place, those that train, by pattern")};
    }
  };
  explicit Partial(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "the last layer groups, or those that are named, train with a new head; the others stand still",
            .paper = "Yosinski et al., arXiv:1411.1792; Lee et al., arXiv:2210.11466",
            .more =
                "Early layers are general and late ones special to the source's task, so the last ones train\n"
                "(last=N). Where the input differs more than the task, the first ones may be the better choice\n"
                "(groups='[\"stem\"]'). Cheaper than training everything: gradients end where nothing trains below."};
  }
  Json patch() const override {
    if (options_.groups.empty()) {
      const std::string still = options_.last > 0 ? fmt::format("backbone[:-{}]", options_.last) : "backbone";
      return {{"transfer", {{"freeze", {still}}}}};
    }
    Json freeze = Json::array({"backbone"});
    for (const std::string& group : options_.groups) freeze.push_back("!" + group);
    return {{"transfer", {{"freeze", freeze}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
