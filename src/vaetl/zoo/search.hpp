// Which zoo belongs to a copy of this library.
#pragma once
#include <filesystem>

namespace vaetl::zoo {

// A library in the build tree has the source's zoo; an installed one, wherever it was moved to, the one of its prefix:
// PREFIX/lib/libvaetl.so or PREFIX/lib/ARCH/libvaetl.so → PREFIX/share/vaetl/zoo.
std::filesystem::path zoo_of(const std::filesystem::path& library);
std::filesystem::path shipped_zoo();  // of this copy: the last of the search path

}  // namespace vaetl::zoo
