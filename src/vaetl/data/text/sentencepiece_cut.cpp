// Normalised text → pieces: the search for the likeliest ones, and the merging of pairs.
#include <queue>
#include <span>
#include <unordered_map>

#include "vaetl/data/text/sentencepiece.hpp"

namespace vaetl::text {
namespace {

// As SentencePiece 0.2.3 has them; sums in float, so that ties are broken as there.
constexpr float unknown_penalty = 10;       // below the least score of a piece
constexpr double symbol_bonus = 0.1;        // of a user's symbol, for each byte but one: it is better than any piece
constexpr float largest_score = 100000.0F;  // beyond it sums begin anew, or they would lose what tells ways apart

// How many bytes a character has by its first one, as SentencePiece counts: whether the others fit is not asked.
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(bytes, text.size());
}

// The best way to a place of the text: where its last piece begins, and which that is.
struct BestWay {
  float score = 0;
  std::int32_t begin = -1;  // −1: there is no way yet
  std::int32_t id = -1;

  // Of equal ones the first stays.
  void offer(float total, std::size_t from, std::int32_t piece) {
    if (begin < 0 || total > score) *this = {total, static_cast<std::int32_t>(from), piece};
  }
};

void begin_sums_anew(std::span<BestWay> ways) {
  const float offset = ways[0].score;
  for (BestWay& way : ways) {
    if (way.begin >= 0) way.score -= offset;
  }
}

// A run of characters that were merged; `size` 0: it was merged into its left neighbour.
struct MergedRun {
  std::int32_t left = -1, right = -1;  // neighbours; −1: none
  std::uint32_t begin = 0, size = 0;
  bool whole = false;  // a user's symbol, which is never merged
};

struct PossibleMerge {
  float score;
  std::int32_t left, right;
  std::uint32_t size;  // of both together: where it is another by now, the merge is none any more
  bool operator<(const PossibleMerge& other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

class MergingText {
 public:
  MergingText(std::string_view text, const PrefixTrie& symbols) : text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view rest = text.substr(at);
      const std::size_t symbol = symbols.longest_prefix(rest), size = symbol > 0 ? symbol : character_bytes(rest);
      const auto index = static_cast<std::int32_t>(runs_.size());
      runs_.push_back(
          {index - 1, index + 1, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size), symbol > 0});
      at += size;
    }
    if (!runs_.empty()) runs_.back().right = -1;
  }

  std::size_t count() const { return runs_.size(); }
  const MergedRun& run(std::int32_t index) const { return runs_[static_cast<std::size_t>(index)]; }
  std::string_view text(const MergedRun& run) const { return text_.substr(run.begin, run.size); }
  std::string_view both(std::int32_t left, std::int32_t right) const {
    return text_.substr(run(left).begin, run(left).size + run(right).size);
  }
  bool may_merge(std::int32_t left, std::int32_t right) const {
    return left >= 0 && right >= 0 && !run(left).whole && !run(right).whole;
  }
  bool is_current(const PossibleMerge& merge) const {
    const MergedRun &left = run(merge.left), &right = run(merge.right);
    return left.size > 0 && right.size > 0 && left.size + right.size == merge.size;
  }
  void merge(const PossibleMerge& merge) {
    MergedRun &left = runs_[static_cast<std::size_t>(merge.left)],
              &right = runs_[static_cast<std::size_t>(merge.right)];
    left.size = merge.size;
    left.right = right.right;
    if (right.right >= 0) runs_[static_cast<std::size_t>(right.right)].left = merge.left;
    right.size = 0;
  }

 private:
  std::string_view text_;
  std::vector<MergedRun> runs_;
};

}  // namespace

std::vector<SentencePieces::Cut> SentencePieces::likeliest(std::string_view normal) const {
  std::vector<BestWay> ways(normal.size() + 1);
  std::size_t furthest = 0;
  for (std::size_t at = 0; at < normal.size();) {
    const std::string_view rest = normal.substr(at);
    const std::size_t one = character_bytes(rest);
    if (std::abs(ways[at].score) > largest_score) begin_sums_anew(std::span(ways).subspan(at, furthest + 1 - at));
    const float before = ways[at].score;
    bool known = false;
    pieces_.walk(rest, [&](std::size_t length, std::int32_t id) {
      if (type(id) == PieceType::unused) return;
      const bool symbol = type(id) == PieceType::user_defined;
      const float own = symbol ? static_cast<float>(symbol_bonus * static_cast<double>(length - 1)) : score(id);
      ways[at + length].offer(own + before, at, id);
      furthest = std::max(furthest, at + length);
      known = known || length == one;
    });
    if (!known) ways[at + one].offer(least_ - unknown_penalty + before, at, unknown_);
    furthest = std::max(furthest, at + one);
    at += one;
  }
  std::vector<Cut> cuts;
  for (std::size_t end = normal.size(); end > 0;) {
    const auto begin = static_cast<std::size_t>(ways[end].begin);
    cuts.push_back({normal.substr(begin, end - begin), ways[end].id});
    end = begin;
  }
  std::reverse(cuts.begin(), cuts.end());
  return cuts;
}

std::vector<SentencePieces::Cut> SentencePieces::merged(std::string_view normal) const {
  MergingText text(normal, symbols_);
  std::priority_queue<PossibleMerge> agenda;
  // Unused pieces are merged like others, and taken apart again at the end.
  std::unordered_map<std::string_view, std::size_t> parts;  // of a merged text: bytes of its left part
  auto consider = [&](std::int32_t left, std::int32_t right) {
    if (!text.may_merge(left, right)) return;
    const std::string_view both = text.both(left, right);
    const std::int32_t id = pieces_.find(both);
    if (id < 0) return;
    agenda.push({score(id), left, right, static_cast<std::uint32_t>(both.size())});
    if (type(id) == PieceType::unused) parts.insert_or_assign(both, text.run(left).size);
  };
  for (std::int32_t i = 1; i < static_cast<std::int32_t>(text.count()); ++i) consider(i - 1, i);
  while (!agenda.empty()) {
    const PossibleMerge best = agenda.top();
    agenda.pop();
    if (!text.is_current(best)) continue;
    text.merge(best);
    consider(text.run(best.left).left, best.left);
    consider(best.left, text.run(best.left).right);
  }
  std::vector<Cut> cuts;
  std::vector<std::string_view> open;
  for (std::int32_t i = text.count() == 0 ? -1 : 0; i >= 0; i = text.run(i).right) {
    open.push_back(text.text(text.run(i)));
    while (!open.empty()) {
      const std::string_view piece = open.back();
      open.pop_back();
      const std::int32_t id = pieces_.find(piece);
      const auto found = id >= 0 && type(id) == PieceType::unused ? parts.find(piece) : parts.end();
      if (found == parts.end()) {
        const bool usable = id >= 0 && type(id) != PieceType::unused;
        cuts.push_back({piece, usable ? id : unknown_});
        continue;
      }
      open.push_back(piece.substr(found->second));
      open.push_back(piece.substr(0, found->second));
    }
  }
  return cuts;
}

}  // namespace vaetl::text
