#include "vaetl/objectives/compose.hpp"

#include "objectives/support.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing::compose_test {
namespace {

// One term "part" of a given value; updates and needs as told; one parameter of its own.
class Part final : public Objective {
 public:
  explicit Part(double value, std::vector<Update> updates = {Update{}}, Needs needs = {})
      : updates_(std::move(updates)), needs_(std::move(needs)) {
    own = register_parameter("own", at::full({}, value, at::kDouble));
  }
  Needs needs() const override { return needs_; }
  std::vector<Update> updates() const override { return updates_; }
  void bind(Model&, const Batch&) override { bound = true; }
  Terms terms(std::size_t update, Pass&) override {
    return Terms{}.add(update == 0 ? "part" : "later", own * 1).log("note", own.detach());
  }
  at::Tensor own;
  bool bound = false;

 private:
  std::vector<Update> updates_;
  Needs needs_;
};

struct Setting {
  ToyModel model{4, 2};
  Batch data = batch({{"input", at::ones({2, 4}, at::kDouble)}});
  Pass pass{model, data, {.progress = 0.5}};
};

TEST(Terms, AreSummedAndNamed) {
  const at::Tensor one = at::ones({}), two = at::full({}, 2);
  const Terms inner = Terms{}.add("a", one).log("b", two);
  const Terms outer = Terms{}.add("c", two).append(inner, at::full({}, 3));
  EXPECT_EQ(outer.total().item<double>(), 5);
  EXPECT_EQ(names(outer.minimised()), (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(value(outer.logged(), "b").item<double>(), 2);
}

TEST(Terms, MustBeSingleNumbers) {
  expect_error<Error>([] { Terms{}.add("loss", at::ones({3})); }, {"term \"loss\"", "(3)", "Pass::mean"});
  expect_error<Error>([] { Terms{}.log("loss", {}); }, {"term \"loss\"", "undefined"});
  expect_error<Error>([] { Terms{}.total(); }, {"at least one term"});
}

TEST(Objective, BackwardFillsGradientsAndReturnsValues) {
  Setting s;
  Part part(3);
  const Terms terms = part.backward(0, s.pass);
  EXPECT_EQ(part.own.grad().item<double>(), 1);
  EXPECT_FALSE(value(terms.minimised(), "part").requires_grad());
  EXPECT_EQ(terms.total().item<double>(), 3);
}

TEST(Weighted, MultipliesWhatIsMinimised) {
  Setting s;
  auto part = std::make_shared<Part>(3);
  const auto weighted = Schedule::linear(0, 4) * part;
  const Terms terms = weighted->backward(0, s.pass);
  EXPECT_EQ(terms.total().item<double>(), 6);
  EXPECT_EQ(part->own.grad().item<double>(), 2);
  EXPECT_EQ(value(terms.logged(), "note").item<double>(), 3);
  EXPECT_EQ(weighted->updates()[0].groups, (std::vector<std::string>{"*", "objective.part.*"}));
}

TEST(Sum, AddsTermsAndPositionsOfEqualNames) {
  Setting s;
  auto elbo = make<objectives::Elbo>();
  const auto sum = std::make_shared<Part>(1) + 2.0 * std::make_shared<Part>(10) + elbo;
  const Terms terms = sum->terms(0, s.pass);
  EXPECT_EQ(names(terms.minimised()), (std::vector<std::string>{"part.0", "part.1", "reconstruction", "kl"}));
  EXPECT_EQ(names(terms.logged()), (std::vector<std::string>{"note.0", "note.1", "elbo"}));
  EXPECT_EQ(value(terms.minimised(), "part.1").item<double>(), 20);
}

TEST(Sum, PartsAreSubmodules) {
  auto a = std::make_shared<Part>(1), b = std::make_shared<Part>(2), c = std::make_shared<Part>(3);
  const auto sum = std::static_pointer_cast<Objective>(a) + b + Schedule(1.0) * c;
  EXPECT_EQ(state(*sum).size(), 3u);
  for (const char* name : {"0.own", "1.own", "2.part.own"}) EXPECT_TRUE(state(*sum).contains(name)) << name;
  Setting s;
  sum->bind(s.model, s.data);
  EXPECT_TRUE(a->bound && b->bound && c->bound);
  auto other = std::make_shared<Part>(7) + std::make_shared<Part>(7) + 1.0 * std::make_shared<Part>(7);
  load_strict(*other, state(*sum), "the checkpoint");
  EXPECT_EQ(other->terms(0, s.pass).total().item<double>(), 6);
}

TEST(Sum, NeedsAreMerged) {
  const auto sum = make<objectives::CrossEntropy>() + std::shared_ptr<Objective>(make<objectives::SimClr>());
  const Needs needs = sum->needs();
  EXPECT_EQ(needs.capabilities, (std::vector<std::string>{"Classifier", "Encoder"}));
  EXPECT_EQ(needs.fields, (std::vector<std::string>{"target", "input"}));
  EXPECT_EQ(needs.streams, std::vector<std::string>{"train"});
  EXPECT_EQ(needs.views, 2);
}

// What a part needs of a second stream cannot be said of the sum, so bind asks each part.
TEST(Sum, NeedsOverOtherStreamsAreChecked) {
  Setting s;
  s.data["unlabelled"] = {};
  const auto far =
      std::make_shared<Part>(1, std::vector{Update{}}, Needs{.streams = {"unlabelled"}, .fields = {"input"}});
  const auto sum = std::make_shared<Part>(1) + far;
  EXPECT_NO_THROW(check_needs(sum->needs(), s.model, s.data, "objective"));
  expect_error<DataError>([&] { sum->bind(s.model, s.data); },
                          {"objective[1]", "\"input\" in the stream \"unlabelled\""});
}

TEST(Sum, SinglePartsJoinTheLastOfSeveralUpdates) {
  const std::vector<Update> two = {{"critic", {"critic*", "objective.*"}}, {"generator", {"generator*"}, 5}};
  const auto sum = std::make_shared<Part>(1) + std::make_shared<Part>(2, two);
  const auto updates = sum->updates();
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_EQ(updates[0].groups, (std::vector<std::string>{"critic*", "objective.1.*"}));
  EXPECT_EQ(updates[1].groups, (std::vector<std::string>{"generator*", "objective.0.*"}));
  EXPECT_EQ(updates[1].every, 5);
  Setting s;
  EXPECT_EQ(names(sum->terms(0, s.pass).minimised()), std::vector<std::string>{"part"});
  EXPECT_EQ(names(sum->terms(1, s.pass).minimised()), (std::vector<std::string>{"part", "later"}));
}

TEST(Sum, GroupsOfSingleUpdatesAreUnited) {
  const auto sum = std::make_shared<Part>(1, std::vector<Update>{{"train", {"encoder"}}}) + std::make_shared<Part>(2);
  EXPECT_EQ(sum->updates()[0].groups, (std::vector<std::string>{"encoder", "*", "objective.1.*"}));
}

TEST(Sum, RefusesWhatCannotBeJoined) {
  const std::vector<Update> two = {Update{}, Update{}}, seldom = {{"train", {"*"}, 3}};
  expect_error<ConfigError>([&] { std::make_shared<Part>(1, two) + std::make_shared<Part>(2, two); },
                            {"at most one part of a sum with several updates", "the parts 0 and 1"});
  expect_error<ConfigError>([&] { std::make_shared<Part>(1) + std::make_shared<Part>(2, seldom); },
                            {"part 1 with every 3 steps"});
}

}  // namespace
}  // namespace vaetl::testing::compose_test
