#include "vaetl/data/check/fingerprints.hpp"

#include <ATen/ATen.h>
#include <utf8proc.h>

#include <charconv>

#include "vaetl/data/digest.hpp"
#include "vaetl/data/example_text.hpp"
#include "vaetl/data/summary.hpp"
#include "vaetl/data/text/tokenizer.hpp"
#include "vaetl/data/text/unicode.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t digits_of_64_bits = 16;

std::uint64_t bits_of(const std::string& hex, std::size_t word) {
  std::uint64_t bits = 0;
  const char* begin = hex.data() + word * digits_of_64_bits;
  std::from_chars(begin, begin + digits_of_64_bits, bits, 16);
  return bits;
}

bool is_letter_or_digit(std::int32_t code) {
  const auto category = utf8proc_category(code);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

// 0 where nothing is left.
std::uint64_t bits_of_letters(const std::string& text) {
  const std::string folded = text::normalise(text, text::Form::nfkc, /*fold=*/true);
  std::string letters;
  std::string_view rest = folded;
  for (text::Character c; text::next_character(rest, c);) {
    if (is_letter_or_digit(c.code)) letters += c.bytes;
  }
  return letters.empty() ? 0 : bits_of(sha256_hex(letters), 0);
}

class Taker {
 public:
  Taker(Fingerprints& result, const Dataset& data, std::int32_t split)
      : result_(result),
        text_(data.info().reader),
        split_(split),
        labelled_(data.classes() > 0),
        tokens_(form_of(data.info()) == Form::tokens) {}

  void add(const Fields& part) {
    const at::Tensor input = part.input().contiguous();
    const at::Tensor labels = labelled_ ? part.target().contiguous() : at::Tensor();
    const at::Tensor lengths = part.has("length") ? part["length"].to(at::kLong).contiguous() : at::Tensor();
    for (std::int64_t i = 0; i < input.size(0); ++i) {
      const std::int64_t index = next_++;
      if (tokens_ && has_unknown(input, i)) {
        ++result_.unknown;
        continue;
      }
      Fingerprint print = print_of(input, lengths, i);
      print.index = index;
      if (labelled_) print.label = static_cast<std::int32_t>(labels.const_data_ptr<std::int64_t>()[i]);
      result_.all.push_back(print);
    }
  }

 private:
  Fingerprint print_of(const at::Tensor& input, const at::Tensor& lengths, std::int64_t i) {
    const std::size_t bytes = input.nbytes() / static_cast<std::size_t>(input.size(0));
    digest_.update(static_cast<const char*>(input.const_data_ptr()) + bytes * static_cast<std::size_t>(i), bytes);
    if (lengths.defined()) digest_.update(lengths.const_data_ptr<std::int64_t>() + i, sizeof(std::int64_t));
    const std::string hex = digest_.hex();
    Fingerprint print{.high = bits_of(hex, 0), .low = bits_of(hex, 1), .split = split_};
    if (tokens_ && text_.known()) {
      print.alike = bits_of_letters(text_(input.const_data_ptr<std::int32_t>() + i * input.size(1), input.size(1)));
    }
    return print;
  }

  static bool has_unknown(const at::Tensor& input, std::int64_t i) {
    const std::int32_t* ids = input.const_data_ptr<std::int32_t>() + i * input.size(1);
    return std::find(ids, ids + input.size(1), text::unknown_id) != ids + input.size(1);
  }

  Fingerprints& result_;
  TokenText text_;
  Sha256 digest_;
  std::int32_t split_;
  bool labelled_, tokens_;
  std::int64_t next_ = 0;
};

}  // namespace

Fingerprints fingerprints(const std::vector<Dataset>& splits) {
  Fingerprints result;
  for (std::size_t s = 0; s < splits.size(); ++s) {
    if (splits[s].size() == 0 || !splits[s].has("input")) continue;
    Taker taker(result, splits[s], static_cast<std::int32_t>(s));
    visit_parts(splits[s], [&](const Fields& part, std::int64_t) { taker.add(part); });
  }
  return result;
}

}  // namespace vaetl::data
