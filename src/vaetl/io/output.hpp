// What the writers of io share: the one form of their errors, temporary names, and synchronising to the disk.
#pragma once
#include <filesystem>

namespace vaetl {

// Throws the OutputError for a failed system call: "PATH: expected WHAT, found REASON; remedy".
[[noreturn]] void fail_output(const std::filesystem::path& path, const char* expected, int error_number);

// An absolute path without a trailing slash; a symbolic link is replaced by what it points to.
std::filesystem::path resolve_target(const std::filesystem::path& path);

// A fresh hidden name beside `target`: .vaetl-<16 hex digits>.tmp
std::filesystem::path temporary_beside(const std::filesystem::path& target);

// fsync of a file or folder; file systems that cannot synchronise a folder are accepted.
void synchronise(const std::filesystem::path& path);

// Puts the folder `fresh` at `target` on file systems that cannot exchange two folders: between its two renames the
// target is absent, and when the second fails the old folder is put back. Afterwards the old one, if any, stands at
// `fresh`. 0 or the error number.
int replace_in_two_steps(const std::filesystem::path& fresh, const std::filesystem::path& target);

}  // namespace vaetl
