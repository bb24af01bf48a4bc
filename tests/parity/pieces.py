"""SentencePiece's own answers: the reference for tests/data/sentencepiece_test.cpp.

Trains four tiny models on text made here, and encodes lines with odd white space, accents, full-width characters and emoji:
  rules    unigram; replacements of its own (a full-width letter, a ligature, letters with a separate accent, several characters for one,
           one for none), symbols of the user, a control symbol
  suffix   unigram; white space as a suffix, unk in another place, pieces that are marked unused
  bytes    BPE; bytes for what is unknown, white space as it stands, no blank in front
  merges   BPE; symbols of the user, pieces that are marked unused, replacements
Run by hand: python tests/parity/pieces.py (needs sentencepiece 0.2.3 and protobuf); pieces.py FOLDER makes larger models with the library's
own rules (nmt_nfkc, nfkc_cf) and 5,000 lines there instead, in the same form.
"""
import io
import json
import pathlib
import random
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto

HERE = pathlib.Path(__file__).resolve().parent
WORDS = ("the quick brown fox jumps over lazy dogs and sleepy cats while heavy rain falls on green hills of old towns "
         "naïve café Straße Größe über garçon señor Ångström ελληνικά λόγος русский слово 東京 日本語 テスト 中文 "
         "don't it's rock'n'roll e-mail 3.14 1984 42 100% $5.50 a_b x=y+1 (see) [ref] http://example.org/path?q=1").split()
ODD = ["\u00a0", "\u3000", "\u2009", "\t", "  ", "   ", "\r", "\u200b", "\u00ad", "ﬁne", "ﬂow", "Ａｎｔｓ", "１２３", "ｱｲｳ", "cafe\u0301",
       "n\u0303", "A\u030a", "\U0001f600", "\U0001f44d\U0001f3fd", "\u2764\ufe0f", "\u2126", "👨\u200d👩\u200d👧", "Ω", "Å", "Ⅷ", "℃", "½", "①",
       "ﷺ", "…", "—", "’", "“q”", "▁", "▁▁", "<sep>", "<s>", "</s>", "<unk>", "<ctl>", "New York", "<0x41>", "\u0300", "אבג",
       "العربية", "हिन्दी", "한국어", "\ufeff", "\ufffd", "\U00010348", "ß", "İ", "ŉ", "\x01", ".", "ffffffff", "aaaaaaa!", ".....",
       "hahaha"]
RULES = [("ﬁ", "fi"), ("ﬂ", "fl"), ("\u2126", "\u03a9"), ("\u00a0", " "), ("\u3000", " "), ("\t", " "), ("\u2009", "  "), ("\u00ad", ""),
         ("e\u0301", "é"), ("n\u0303", "ñ"), ("A\u030a", "Å"), ("½", " 1/2"), ("…", "..."), ("…—", "!"), ("ﷺ", "صلى الله عليه وسلم"),
         ("İ", "i\u0307"), ("’", "'"), ("100%", "all")] + [(chr(0xff21 + i), chr(0x41 + i)) for i in range(26)]


def lines(count, seed, odd):
    draw = random.Random(seed)
    result = []
    for _ in range(count):
        line = ""
        for _ in range(draw.randint(0 if odd else 3, 9)):
            word = draw.choice(ODD) if draw.random() < odd else draw.choice(WORDS)
            if draw.random() < 0.2:
                word = word.capitalize()
            if odd and draw.random() < 0.1:
                word = word[draw.randint(0, len(word)):]
            line += word + (" " if draw.random() < 0.8 else "" if draw.random() < 0.7 else "  ")
        result.append(line if odd else line.strip())
    return result


def train(folder, rules=None, unused=0, **options):
    if rules:
        table = pathlib.Path(folder, "rules.tsv")
        table.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in rules))
        options["normalization_rule_tsv"] = str(table)
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines(2000, 1, 0.0)), model_writer=writer, minloglevel=2,
                                             num_threads=1, **options)
    model = proto.ModelProto.FromString(writer.getvalue())
    model.ClearField("denormalizer_spec")
    draw = random.Random(2)
    long = [p for p in model.pieces if p.type == p.NORMAL and len(p.piece) > 2]
    for piece in draw.sample(long, unused):
        piece.type = piece.UNUSED
    return model.SerializeToString()


def tiny(folder):
    return {
        "rules": train(folder, RULES, vocab_size=300, user_defined_symbols=["<sep>", "<se", "New York"], control_symbols=["<ctl>"]),
        "suffix": train(folder, unused=30, vocab_size=260, normalization_rule_name="identity", treat_whitespace_as_suffix=True,
                        pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
        "bytes": train(folder, model_type="bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
                       remove_extra_whitespaces=False, add_dummy_prefix=False, split_digits=True, allow_whitespace_only_pieces=True,
                       character_coverage=0.99),
        "merges": train(folder, RULES, unused=40, model_type="bpe", vocab_size=300, user_defined_symbols=["<sep>", "fox", "▁"])}


def large(folder):
    return {f"{kind}-{rule}": train(folder, model_type=kind, vocab_size=700, hard_vocab_limit=False, normalization_rule_name=rule, byte_fallback=kind == "bpe",
                                    user_defined_symbols=["<sep>"])
            for kind in ("unigram", "bpe") for rule in ("nmt_nfkc", "nfkc_cf")}


def main(target):
    with tempfile.TemporaryDirectory() as folder:
        models = large(folder) if target else tiny(folder)
    place = pathlib.Path(target) if target else HERE
    texts = ["", " ", "  \t", "a", "▁"] + lines(5000 if target else 200, 3, 0.35)
    result = {"texts": texts, "models": {}}
    for name, model in models.items():
        (place / f"pieces.{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        result["models"][name] = {"size": processor.get_piece_size(), "unknown": processor.unk_id(),
                                  "ids": [processor.encode(text) for text in texts]}
    (place / "pieces.json").write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
