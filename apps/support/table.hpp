// Plain tables: for a terminal with columns aligned, numbers to the right; for other programs.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace vaetl::apps {

// Each row has as many cells as the header; an empty header prints none.
std::string table_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// The same as comma-separated values (RFC 4180) of a line each.
std::string csv_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// Two columns, name and value.
std::string metrics_text(const std::map<std::string, double>& metrics);

}  // namespace vaetl::apps
