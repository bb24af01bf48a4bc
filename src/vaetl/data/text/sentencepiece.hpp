// A SentencePiece model as its file holds it, by libsentencepiece. The file is data that anyone may have made: its size
// and the tables that the library walks unchecked are checked before it sees them. Text → pieces is safe in several
// threads.
// Kudo and Richardson 2018, arXiv:1808.06226.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace vaetl::text {

class SentencePieces {
 public:
  // DataError where the file is absent, no such model, damaged, above 64 MiB, or other than `sha256` (empty: any) says.
  SentencePieces(const std::filesystem::path& file, const std::string& sha256);
  ~SentencePieces();
  SentencePieces(SentencePieces&&) noexcept;
  SentencePieces& operator=(SentencePieces&&) noexcept;

  std::vector<int> encode(std::string_view text) const;  // places of the pieces; −1: unknown
  std::int64_t size() const;
  const std::string& sha256() const { return sha256_; }

 private:
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::string sha256_;
};

// Why the bytes of a model must not be given to the library; empty: they may.
std::string flaw_of_model(std::string_view bytes);

}  // namespace vaetl::text
