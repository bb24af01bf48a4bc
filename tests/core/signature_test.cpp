#include "vaetl/core/signature.hpp"

#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"

namespace vaetl::signature_test {
namespace {

TEST(Signature, FieldInfoIsCovered) { testing::expect_fields_cover<FieldInfo>(); }

TEST(Signature, ShapesAndTypesInWords) {
  EXPECT_EQ(shape_text({1, 28, 28}), "(1, 28, 28)");
  EXPECT_EQ(shape_text({}), "()");
  for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kByte, at::kBool}) {
    EXPECT_EQ(dtype_from_name(dtype_name(dtype), "path"), dtype);
  }
  EXPECT_EQ(dtype_name(at::kByte), "uint8");
}

TEST(Signature, AnUnknownTypeIsRefused) {
  testing::expect_error<ConfigError>([] { dtype_from_name("uint7", "card.dtype"); },
                                     {"card.dtype: expected one of", "\"uint7\""});
  testing::expect_error<ConfigError>(
      [] {
        from_json<FieldInfo>(Json{{"dtype", 8}}, "card");
      },
      {"card.dtype: expected the name of an element type, found an integer 8"});
}

}  // namespace
}  // namespace vaetl::signature_test
