// Entries as folders: where new ones go, and how old ones are taken away.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace vaetl::zoo {

// The folder of an entry of this name in the first writable folder of the search path. OutputError, beginning with
// `where`: none can be written.
std::filesystem::path folder_for(std::string_view name, const std::string& where);

// What replaces a folder removes it: OutputError for one that is neither an entry nor empty.
void check_replaceable(const std::filesystem::path& folder);

// Removes the entry of this name, the first along the search path, damaged ones too, and returns where it was.
// FileError: there is none; one that came with vaetl; one that entries need as their base, unless forced. OutputError:
// a folder that holds more than an entry, or that cannot be removed.
std::filesystem::path remove(std::string_view name, bool force = false);

}  // namespace vaetl::zoo
