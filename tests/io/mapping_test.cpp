#include "vaetl/io/mapping.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/scratch.hpp"
#include "support/expect_error.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl::mapping_test {
namespace {

TEST(Mapping, WritesStayInMemory) {
  const testing::Scratch scratch;
  const auto path = scratch.put("file", "abc");
  {
    const Mapping mapping(open_to_read(path).get(), 3, "file");
    mapping.data()[0] = 'x';
    EXPECT_EQ(mapping.bytes(), "xbc");
  }
  EXPECT_EQ(Mapping(open_to_read(path).get(), 3, "file").bytes(), "abc");
}

// Of a file that is larger than what is left of the limit on the process's data.
TEST(Mapping, IsReadUnderALimitOnData) {
  const testing::Scratch scratch;
  const std::size_t size = std::size_t{1} << 24;
  const auto path = scratch.put("file", std::string(size, 'a'));
  const auto map_and_leave = [&] {
    const Descriptor file = open_to_read(path);
    const rlimit limit{1, 1};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) std::_Exit(2);
    if (::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get(), 0) != MAP_FAILED) std::_Exit(3);
    const auto* bytes = static_cast<const char*>(map_privately(file.get(), size));
    std::_Exit(bytes != nullptr && bytes[size - 1] == 'a' ? 0 : 1);
  };
  EXPECT_EXIT(map_and_leave(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vaetl::mapping_test
