// Numbers so small that their digits run out (below 1.2e-38) cost a processor a hundred times what others do, and the
// moments of weights that no example reaches become such numbers after a few hundred steps.
#pragma once

namespace vaetl {

// While one lives, they are 0 for the calling thread and for those that LibTorch's operators run on. Afterwards all is
// as the calling thread had it before.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
  static bool active();  // on the calling thread

 private:
  bool before_;
};

}  // namespace vaetl
