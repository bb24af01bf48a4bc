// Does fields() list every member of an options struct? C++20 has no reflection, but an aggregate takes one `{}` for
// each member, and one more is an error; so the largest number of `{}` that compiles is the number of members.
//
//   TEST(Options, Covered) { vaetl::testing::expect_fields_cover<Options>(); }
#pragma once
#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>

#include "vaetl/core/config.hpp"

namespace vaetl::testing {

// VAETL_BRACES_n is n times `{}`, separated by commas: an empty brace is no expression, so no pack can hold it.
// clang-format off
#define VAETL_BRACES_1 {}
#define VAETL_BRACES_2 VAETL_BRACES_1, {}
#define VAETL_BRACES_3 VAETL_BRACES_2, {}
#define VAETL_BRACES_4 VAETL_BRACES_3, {}
#define VAETL_BRACES_5 VAETL_BRACES_4, {}
#define VAETL_BRACES_6 VAETL_BRACES_5, {}
#define VAETL_BRACES_7 VAETL_BRACES_6, {}
#define VAETL_BRACES_8 VAETL_BRACES_7, {}
#define VAETL_BRACES_9 VAETL_BRACES_8, {}
#define VAETL_BRACES_10 VAETL_BRACES_9, {}
#define VAETL_BRACES_11 VAETL_BRACES_10, {}
#define VAETL_BRACES_12 VAETL_BRACES_11, {}
#define VAETL_BRACES_13 VAETL_BRACES_12, {}
#define VAETL_BRACES_14 VAETL_BRACES_13, {}
#define VAETL_BRACES_15 VAETL_BRACES_14, {}
#define VAETL_BRACES_16 VAETL_BRACES_15, {}
#define VAETL_BRACES_17 VAETL_BRACES_16, {}
#define VAETL_BRACES_18 VAETL_BRACES_17, {}
#define VAETL_BRACES_19 VAETL_BRACES_18, {}
#define VAETL_BRACES_20 VAETL_BRACES_19, {}
#define VAETL_BRACES_21 VAETL_BRACES_20, {}
#define VAETL_BRACES_22 VAETL_BRACES_21, {}
#define VAETL_BRACES_23 VAETL_BRACES_22, {}
#define VAETL_BRACES_24 VAETL_BRACES_23, {}
#define VAETL_BRACES_25 VAETL_BRACES_24, {}
#define VAETL_BRACES_26 VAETL_BRACES_25, {}
#define VAETL_BRACES_27 VAETL_BRACES_26, {}
#define VAETL_BRACES_28 VAETL_BRACES_27, {}
#define VAETL_BRACES_29 VAETL_BRACES_28, {}
#define VAETL_BRACES_30 VAETL_BRACES_29, {}
#define VAETL_BRACES_31 VAETL_BRACES_30, {}
#define VAETL_BRACES_32 VAETL_BRACES_31, {}
#define VAETL_BRACES_33 VAETL_BRACES_32, {}
#define VAETL_BRACES_34 VAETL_BRACES_33, {}
#define VAETL_BRACES_35 VAETL_BRACES_34, {}
#define VAETL_BRACES_36 VAETL_BRACES_35, {}
#define VAETL_BRACES_37 VAETL_BRACES_36, {}
#define VAETL_BRACES_38 VAETL_BRACES_37, {}
#define VAETL_BRACES_39 VAETL_BRACES_38, {}
#define VAETL_BRACES_40 VAETL_BRACES_39, {}
#define VAETL_BRACES_41 VAETL_BRACES_40, {}
#define VAETL_BRACES_42 VAETL_BRACES_41, {}
#define VAETL_BRACES_43 VAETL_BRACES_42, {}
#define VAETL_BRACES_44 VAETL_BRACES_43, {}
#define VAETL_BRACES_45 VAETL_BRACES_44, {}
#define VAETL_BRACES_46 VAETL_BRACES_45, {}
#define VAETL_BRACES_47 VAETL_BRACES_46, {}
#define VAETL_BRACES_48 VAETL_BRACES_47, {}

template <class T>
concept Aggregate = std::is_aggregate_v<T>;

template <Aggregate T>
constexpr std::size_t member_count() {
  std::size_t count = 0;
#define VAETL_COUNT(n) if constexpr (requires { T{VAETL_BRACES_##n}; }) count = n;
  VAETL_COUNT(1) VAETL_COUNT(2) VAETL_COUNT(3) VAETL_COUNT(4) VAETL_COUNT(5) VAETL_COUNT(6)
  VAETL_COUNT(7) VAETL_COUNT(8) VAETL_COUNT(9) VAETL_COUNT(10) VAETL_COUNT(11) VAETL_COUNT(12)
  VAETL_COUNT(13) VAETL_COUNT(14) VAETL_COUNT(15) VAETL_COUNT(16) VAETL_COUNT(17) VAETL_COUNT(18)
  VAETL_COUNT(19) VAETL_COUNT(20) VAETL_COUNT(21) VAETL_COUNT(22) VAETL_COUNT(23) VAETL_COUNT(24)
  VAETL_COUNT(25) VAETL_COUNT(26) VAETL_COUNT(27) VAETL_COUNT(28) VAETL_COUNT(29) VAETL_COUNT(30)
  VAETL_COUNT(31) VAETL_COUNT(32) VAETL_COUNT(33) VAETL_COUNT(34) VAETL_COUNT(35) VAETL_COUNT(36)
  VAETL_COUNT(37) VAETL_COUNT(38) VAETL_COUNT(39) VAETL_COUNT(40) VAETL_COUNT(41) VAETL_COUNT(42)
  VAETL_COUNT(43) VAETL_COUNT(44) VAETL_COUNT(45) VAETL_COUNT(46) VAETL_COUNT(47) VAETL_COUNT(48)
#undef VAETL_COUNT
  return count;
}
// clang-format on

// Every member has a field of its own with a key of its own and a text, and the defaults survive the way to JSON and
// back.
template <Options O>
void expect_fields_cover() {
  constexpr auto fields = O::fields();
  constexpr std::size_t listed = std::tuple_size_v<decltype(fields)>;
  static_assert(listed <= 47, "more members than member_count() can tell");
  EXPECT_EQ(member_count<O>(), listed) << "fields() does not list every member";

  const O defaults{};
  std::set<std::string> keys;
  std::set<const void*> members;
  auto visit = [&](const auto& f) {
    EXPECT_TRUE(keys.insert(std::string(f.key)).second) << "the key " << f.key << " stands twice";
    EXPECT_TRUE(members.insert(&(defaults.*(f.member))).second) << "two keys share the member of " << f.key;
    EXPECT_FALSE(f.doc.empty()) << f.key << " has no text";
  };
  std::apply([&](const auto&... f) { (visit(f), ...); }, fields);
}

// The defaults survive the way to JSON and back; for options whose defaults are valid as they stand.
template <Options O>
void expect_defaults_round_trip() {
  const Json json = to_json(O{});
  EXPECT_EQ(to_json(from_json<O>(json, "options")), json);
}

}  // namespace vaetl::testing
