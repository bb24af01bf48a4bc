// Examples as text, as far as the description of the data tells how they were encoded.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"
#include "vaetl/data/text/sentencepiece.hpp"

namespace vaetl::data {

// Token ids to text, by the vocabulary that the reader learnt (data/text/tokenizer.hpp).
class TokenText {
 public:
  explicit TokenText(const Json& reader);
  bool known() const { return bytes_ || pieces_ || !tokens_.empty(); }
  std::string operator()(const std::int32_t* ids, std::int64_t count) const;  // padding and marks are left out

 private:
  std::string piece_text(const std::int32_t* ids, std::int64_t count) const;

  std::vector<std::string> tokens_ = {};
  std::shared_ptr<const text::SentencePieces> pieces_ = nullptr;
  std::int32_t first_ = 0;
  bool bytes_ = false, words_ = false;
};

// One column of a table as the reader learnt it; the name is its position where nothing is known.
struct TableColumn {
  std::string name = {};
  bool categorical = false;
  std::vector<std::string> categories = {};
};
std::vector<TableColumn> table_columns(const DatasetInfo& info);

// The first `count` examples, of at most about 200 bytes each; none for data that are no text.
std::vector<std::string> first_texts(const Dataset& data, std::int64_t count);

}  // namespace vaetl::data
