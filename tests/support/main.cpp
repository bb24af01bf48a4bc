// One main for every test program. One thread: the tests' tensors are too small to share, and a busy machine makes
// threads wait for each other at every operation.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  at::set_num_threads(1);
  return RUN_ALL_TESTS();
}
