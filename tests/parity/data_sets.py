"""What the known sets hold, computed with numpy and Pillow from their files alone: data_sets.json is the reference for
tests/data/shared_table_test.cpp. For each set and part (train and test where the files or their order divide it, all where
rows are drawn): count, counts of the classes, and the mean over the values of all inputs (without missing ones and padding).

Run by hand: python tests/parity/data_sets.py FOLDER (needs numpy and pillow 13); FOLDER is laid out as VAETL_TEST_DATA is.
"""
import csv
import gzip
import io
import json
import lzma
import pathlib
import sys
import tarfile

import numpy as np
from PIL import Image, ImageOps

ROOT = pathlib.Path(sys.argv[1])
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def part(mean, labels=None, count=None):
    counts = [] if labels is None else np.unique(labels, return_counts=True)[1].tolist()
    mean = None if mean is None else round(float(mean), 6)
    return {"count": int(sum(counts) if count is None else count), "classes": counts, "mean": mean}


def idx(path):
    data = gzip.decompress(path.read_bytes())
    dims = data[3]
    shape = np.frombuffer(data, ">u4", dims, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)


def idx_set(folder, prefix=""):
    names = {"train": "train", "test": "test" if prefix else "t10k"}
    return {split: part(idx(folder / f"{prefix}{name}-images-idx3-ubyte.gz").mean(dtype=np.float64),
                        idx(folder / f"{prefix}{name}-labels-idx1-ubyte.gz")) for split, name in names.items()}


def cifar(path):
    records = np.frombuffer(lzma.decompress(path.read_bytes()), np.uint8).reshape(-1, 3073)
    return {"train": part(records[:, 1:].mean(dtype=np.float64), records[:, 0])}


def archive(path):
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile():
                yield member.name.split("/"), tar.extractfile(member).read()


def pictures(path, splits, size=None):
    """`splits`: the name of a folder to that of its split; all in one where empty."""
    sums = {}
    for names, data in archive(path):
        if not names[-1].lower().endswith((".jpg", ".jpeg", ".png")):
            continue
        split = splits[names[-3]] if splits else "train"
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        if size:
            factor = size[1] / min(picture.size)
            picture = picture.resize([max(size[1], int(side * factor)) for side in picture.size], Image.BILINEAR)
            left, top = [round((side - size[0]) / 2) for side in picture.size]
            picture = picture.crop((left, top, left + size[0], top + size[0]))
        values = np.asarray(picture)
        labels, means = sums.setdefault(split, ([], []))
        labels.append(names[-2])
        means.append(values.mean(dtype=np.float64))
    return {split: part(np.mean(means), labels if splits else None, len(means)) for split, (labels, means) in sums.items()}


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def table(files, header=False, quote='"', values=False):
    """The last column is the target; columns of texts become positions among the sorted texts of the first file."""
    def read(path):
        lines = path.read_text().splitlines()[header:]
        return [[v.strip() for v in row] for row in csv.reader(lines, quotechar=quote, skipinitialspace=True) if row]

    rows = {name: read(path) for name, path in files.items()}
    first = next(iter(rows.values()))
    missing = ("", "?")
    codes = {}
    for column in range(len(first[0]) - 1):
        texts = {row[column] for row in first} - set(missing)
        if any(number(text) is None for text in texts):
            codes[column] = {text: code for code, text in enumerate(sorted(texts))}
    result = {}
    for name, lines in rows.items():
        inputs = [[codes[c].get(v, -1 if v in missing else -2) if c in codes else
                   np.nan if v in missing else float(v) for c, v in enumerate(row[:-1])] for row in lines]
        labels = None if values else [row[-1].rstrip(".") for row in lines]
        result[name] = part(np.nanmean(np.float32(inputs), dtype=np.float64), labels, len(lines))
    return result


def lines(path, label, encoding="utf-8"):
    return part(None, [label(line) for line in path.read_text(encoding).split("\n") if line])


def windows(values, begin, end, window, horizon):
    """The mean over the windows of the rows begin … end − 1, those that miss a value left out."""
    length = window + horizon
    rows = values[begin:end]
    starts = [i for i in range(len(rows) - length + 1) if not np.isnan(rows[i:i + length]).any()]
    return part(np.mean([rows[i:i + window].mean(dtype=np.float64) for i in starts]), count=len(starts))


def series(path, columns, window, horizon, bounds=None):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    values = np.float32([[np.nan if row[c] == "NA" else float(row[c]) for c in columns or list(rows[0])[1:]] for row in rows])
    train = len(rows) - int(0.2 * len(rows) + 0.5)
    bounds = bounds or [(0, train), (train, len(rows))]
    return {split: windows(values, *b, window, horizon) for split, b in zip(("train", "test"), bounds)}


def cases(path):
    values = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, dtype=np.float32)
    return part(values[:, 1:].mean(dtype=np.float64), values[:, 0])


def ts(path):
    total, count, labels = 0.0, 0, []
    for line in path.read_text().splitlines():
        if not line or line[0] in "@#":
            continue
        *dims, label = line.split(":")
        values = np.float32([[float(v) for v in dim.split(",")] for dim in dims])
        total, count = total + values.sum(dtype=np.float64), count + values.size
        labels.append(label)
    return part(total / count, labels)


def main():
    tabular, misc = ROOT / "tabular", ROOT / "timeseries/misc"
    sets = {
        "fashion-mnist": idx_set(FASHION), "mnist": idx_set(ROOT / "mnist"), "usps": idx_set(ROOT / "usps", "usps-"),
        "optdigits": table({"train": ROOT / "optdigits/optdigits.tra", "test": ROOT / "optdigits/optdigits.tes"}, header=True),
        "cifar10-first4000": cifar(ROOT / "cifar10/cifar10_train_first4000.bin.xz"),
        "cifar10-jpeg": pictures(ROOT / "cifar10/cifar10-jpeg-q75.tar.xz", {"train": "train", "test": "test"}),
        "hymenoptera": pictures(ROOT / "hymenoptera/hymenoptera_data.tar", {"train": "train", "val": "test"}, (224, 256)),
        "noto-emoji": pictures(ROOT / "noto-emoji/noto-emoji-72px.tar.xz", {}),
        "adult": table({"train": tabular / "adult-train.csv", "test": tabular / "adult-test.csv"}),
        "housing": table({"all": tabular / "housing.csv"}, values=True),
        "mammography": table({"all": tabular / "mammography.csv"}, quote="'"),
        "breast-cancer": table({"all": tabular / "breast-cancer-wisconsin.csv"}),
        "agnews": {"all": lines(ROOT / "text/agnews/test.csv", lambda line: line[1])},
        "trec": {split: lines(ROOT / f"text/trec/TREC.{split}.all", lambda line: line[0], "latin-1")
                 for split in ("train", "test")},
        "sms-spam": {"all": lines(ROOT / "text/sms/sms.tsv", lambda line: line.split("\t")[0])},
        "ecg5000": {"train": cases(ROOT / "timeseries/ecg5000/ECG5000_TRAIN.txt"),
                    "test": cases(ROOT / "timeseries/ecg5000/ECG5000_TEST_4499.npy")},
        "japanese-vowels": {split: ts(ROOT / f"timeseries/japanesevowels/JapaneseVowels_{split.upper()}.ts")
                            for split in ("train", "test")},
        "airline-passengers": series(misc / "airline-passengers.csv", None, 12, 1),
        "daily-max-temperatures": series(misc / "daily-max-temperatures.csv", None, 30, 1),
        "daily-min-temperatures": series(misc / "daily-min-temperatures.csv", None, 30, 1),
        "monthly-sunspots": series(misc / "monthly-sunspots.csv", None, 132, 12),
        "beijing-pm25": series(misc / "pollution.csv", ["pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"], 24, 1),
    }
    for name in ("iris", "wine", "winequality-red", "winequality-white"):
        sets[name] = table({"all": tabular / f"{name}.csv"})
    for name in ("ETTh1", "ETTh2"):
        sets[name.lower()] = series(ROOT / f"timeseries/ett/{name}.csv", None, 96, 24, [(0, 8640), (11520, 14400)])
    text = (ROOT / "text/tinyshakespeare/input.txt").read_text("ascii")
    sets["tiny-shakespeare"] = {"characters": len(text), "distinct": len(set(text))}
    body = ",\n".join(f'  {json.dumps(name)}: {json.dumps(sets[name])}' for name in sorted(sets))
    pathlib.Path(__file__).with_suffix(".json").write_text("{\n" + body + "\n}\n")


main()
