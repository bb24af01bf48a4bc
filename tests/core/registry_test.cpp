#include "vaetl/core/registry.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"

namespace vaetl {
namespace {

using testing::expect_error;

struct Shape {
  using Kind = Shape;
  virtual ~Shape() = default;
  virtual double area() const = 0;
};

struct Square final : Shape {
  static constexpr std::string_view name = "square";
  struct Options {
    double side = 1;
    static constexpr auto fields() {
      return std::tuple{field("side", &Options::side, "length of a side", at_least(0))};
    }
  };
  explicit Square(Options options) : options_(options) {}
  double area() const override { return options_.side * options_.side; }
  Options options_;
};

struct Unit final : Shape {
  static constexpr std::string_view name = "unit";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Unit(Options) {}
  double area() const override { return 1; }
};

struct BigSquare final : Shape {  // takes the place of "square"
  static constexpr std::string_view name = "square";
  using Options = Square::Options;
  explicit BigSquare(Options options) : options_(options) {}
  double area() const override { return 100 * options_.side; }
  Options options_;
};

}  // namespace

template <>
Registry<Shape>& registry<Shape>() {
  static Registry<Shape> shapes = [] {
    Registry<Shape> r("shape");
    r.add<Square>().add<Unit>();
    return r;
  }();
  return shapes;
}

namespace {

Spec<Shape> read(const std::string& text) {
  Spec<Shape> result;
  Codec<Spec<Shape>>::read(parse_json(text, "test"), "model", result, {});
  return result;
}

void refuse(const std::string& text, std::initializer_list<std::string_view> parts,
            std::source_location where = std::source_location::current()) {
  expect_error<ConfigError>([&] { read(text); }, parts, where);
}

TEST(Spec, IsABareNameOrAnObjectWithOne) {
  EXPECT_EQ(read(R"("unit")").name, "unit");
  EXPECT_EQ(read(R"("unit")").options, Json::object());
  const Spec<Shape> square = read(R"({"side": 2, "name": "square"})");
  EXPECT_EQ(square.name, "square");
  EXPECT_EQ(square.options, (Json{{"side", 2}}));
}

TEST(Spec, IsWrittenAsItIsRead) {
  for (const std::string text : {R"("unit")", R"({"name":"square","side":2,"more":[1]})"}) {
    EXPECT_EQ(Codec<Spec<Shape>>::write(read(text)).dump(), text);
  }
  EXPECT_EQ(Codec<Spec<Shape>>::write(read(R"({"name":"unit"})")), "unit");
  EXPECT_TRUE(Codec<Spec<Shape>>::write({}).is_null());
}

TEST(Spec, RefusesWhatHasNoName) {
  refuse("3", {"model: expected a name, or an object with \"name\" and options, found an integer 3"});
  refuse("[]", {"model: expected a name", "found an array"});
  refuse(R"({"side": 1})", {"model: expected a name", "found no \"name\""});
  refuse(R"({"name": 3})", {"model.name: expected a string, found an integer 3"});
  refuse(R"("")", {"model: ", "found an empty name"});
  refuse(R"({"name": ""})", {"model: ", "found an empty name"});
}

TEST(Registry, MakesByNameAndByType) {
  EXPECT_EQ(make<Shape>("square", Json{{"side", 3}})->area(), 9);
  EXPECT_EQ(make<Square>({.side = 2})->area(), 4);
  EXPECT_EQ(registry<Shape>().make(spec<Square>({.side = 4}))->area(), 16);
  EXPECT_TRUE(registry<Shape>().has("unit"));
  EXPECT_FALSE(registry<Shape>().has("uni"));
  EXPECT_EQ(registry<Shape>().names(), (std::vector<std::string>{"square", "unit"}));
  EXPECT_EQ(registry<Shape>().schema("square")["properties"]["side"]["default"], 1.0);
}

TEST(Registry, CompletesWithEveryDefault) {
  EXPECT_EQ(registry<Shape>().complete({"square", Json::object()}).options, (Json{{"side", 1.0}}));
}

TEST(Registry, ErrorsNamePathAndTheNearest) {
  expect_error<ConfigError>(
      [] {
        registry<Shape>().make({"sqare", Json::object()}, "model");
      },
      {"model: expected the name of a known shape, found \"sqare\"; did you mean \"square\"?"});
  expect_error<ConfigError>([] { make<Shape>("circle", Json::object()); },
                            {"shape: expected", "found \"circle\"", "\"square\"", "\"unit\""});
  expect_error<ConfigError>(
      [] {
        registry<Shape>().make({"square", Json{{"side", -1}}}, "model");
      },
      {"model.side: expected at least 0, found -1"});
  expect_error<ConfigError>(
      [] {
        registry<Shape>().make({"unit", Json{{"side", 1}}}, "model");
      },
      {"model: found the unknown key \"side\"; no keys are known here"});
  expect_error<ConfigError>([] { Registry<Shape>("shape").make({"x", Json::object()}); }, {"none is registered"});
}

TEST(Registry, NamesTheThreeNearestOfMany) {
  const std::vector<std::string> known = {"mlp", "cnn", "vae", "conv_vae"};
  expect_error<ConfigError>([&] { detail::throw_unknown_name("model", "model", "rnn", known); },
                            {"did you mean \"cnn\", \"mlp\" or \"vae\"?"});
}

TEST(Registry, TheLastOfANameStands) {
  Registry<Shape> shapes("shape");
  shapes.add<Square>().add<BigSquare>();
  EXPECT_EQ(shapes.names().size(), 1u);
  EXPECT_EQ(shapes.make({"square", Json{{"side", 2}}})->area(), 200);
}

}  // namespace
}  // namespace vaetl
