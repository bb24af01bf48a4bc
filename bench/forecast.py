"""What forecasts without learning make of an hourly series, in its own units: the last value again, and the values one day
before. The windows are those of the reader `series`: of test rows alone, `window` to see and `horizon` to foretell.

    python bench/forecast.py ETTh1.csv [--target OT] [--window 96] [--horizon 24] [--rows 8640 2880 2880] [--season 24]
"""
import argparse
import csv

import numpy as np


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--target", default="OT")
    parser.add_argument("--window", type=int, default=96)
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--rows", type=int, nargs=3, default=[8640, 2880, 2880])
    parser.add_argument("--season", type=int, default=24)
    return parser.parse_args()


def main():
    options = arguments()
    with open(options.file, newline="") as file:
        values = np.array([float(row[options.target]) for row in csv.DictReader(file)])
    before = options.rows[0] + options.rows[1]
    test = values[before:before + options.rows[2]]
    windows = np.lib.stride_tricks.sliding_window_view(test, options.window + options.horizon)
    seen, to_come = windows[:, :options.window], windows[:, options.window:]
    hours = np.arange(options.horizon)
    forecasts = {"last value": seen[:, -1:], "one season before": seen[:, -options.season + hours % options.season]}
    print(f"{len(windows)} windows")
    for name, forecast in forecasts.items():
        apart = forecast - to_come
        print(f"{name:<18}  rmse {np.sqrt((apart ** 2).mean()):.4f}  mae {np.abs(apart).mean():.4f}")


main()
