"""Unicode forms and words: the reference for tests/data.

The words are found by a regular expression over Unicode's categories, not by a scanner. Run by hand: python tests/parity/text.py
"""
import collections
import json
import pathlib
import re
import unicodedata


HERE = pathlib.Path(__file__).resolve().parent
TEXTS = [
    "",
    "Don't STOP the Straße — it’s 2½ km!",
    "ﬁne ２０ Ⅷ ℃ ①",
    "Cafe\u0301 Caf\u00e9 na\u00efve \u1e9b\u0323 \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
    "co\u00adoperate zero\u200bwidth no\u00a0break",
    "'tis the dogs' bone, rock'n'roll ''",
    "\u2764\ufe0f \U0001f600\U0001f44d\U0001f3fd $5.50 £3,000 a_b x=y+1",
    "\u0130stanbul \u01c4 \u00c5ngstr\u00f6m \u212bngstr\u00f6m",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u0627\u0644\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u0629 \u0939\u093f\u0928\u094d\u0926\u0940",
    "tab\tand\nnewline\r\n end",
]


def fold(text, form):
    return unicodedata.normalize(form, unicodedata.normalize(form, text).casefold())


def kind(c):
    category = unicodedata.category(c)
    if c in "'\u2019":
        return "q"
    if c == "\u200b" or category[0] == "Z" or category == "Cc":
        return "s"
    if category == "Cf":
        return "i"
    return {"L": "l", "N": "l", "M": "m"}.get(category[0], "p")


def words(text, lower=True, punctuation=True):
    text = fold(text, "NFKC") if lower else unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if kind(c) != "i").replace("\u2019", "'")
    kinds = "".join(kind(c) for c in text)
    found = [text[m.start():m.end()] for m in re.finditer(r"l[lm]*(?:ql[lm]*)*|[pq]", kinds)]
    return [w for w in found if punctuation or kind(w[0]) == "l"]


def grams(tokens, n, separator):
    return [separator.join(tokens[i - k:i + 1]) for i in range(len(tokens)) for k in range(min(n, i + 1))]


def real_words(path, encoding, cut):
    """Different words of a real set, all its words, the ten most frequent: where the data are at hand."""
    lines = path.read_bytes().decode(encoding).split("\n")
    counts = collections.Counter(w for line in lines if line.strip() for w in words(cut(line)))
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))[:10]
    return {"different": len(counts), "all": sum(counts.values()), "most_frequent": [w for w, _ in top]}


def main():
    cases = [{"text": t, "nfc": unicodedata.normalize("NFC", t), "nfc_folded": fold(t, "NFC"),
              "nfkc": unicodedata.normalize("NFKC", t), "nfkc_folded": fold(t, "NFKC"), "words": words(t),
              "words_as_written": words(t, lower=False), "words_alone": words(t, punctuation=False),
              "trigrams": grams(words(t), 3, " "), "bigrams_of_characters": grams(list(fold(t, "NFC")), 2, "")}
             for t in TEXTS]
    result = {"cases": cases}
    shared = HERE.parents[2] / "shared/data/text"
    if shared.is_dir():
        result["sms"] = real_words(shared / "sms/sms.tsv", "utf-8", lambda line: line.split("\t", 1)[1])
        result["trec"] = real_words(shared / "trec/TREC.train.all", "latin-1", lambda line: line.split(" ", 1)[1])
    (HERE / "text.json").write_text(json.dumps(result, ensure_ascii=True, indent=1) + "\n")


if __name__ == "__main__":
    main()
