"""Train a method after another on digits: what torchrun starts in a test. FOLDER METHOD..."""

import sys

import rdr_core

if __name__ == "__main__":
    folder, *methods = sys.argv[1:]
    for method in methods:
        rdr_core.train("digits", imbalance_factor=50, method=method, epochs=2, runs=folder, progress=False)
