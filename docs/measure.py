"""Trains the programs whose texts print numbers over many seeds, and keeps theirs in `docs/bands.json`.

python docs/measure.py                           # all, 20 seeds; `scripts/docs --full` does it, too
python docs/measure.py --recipes scratch --seeds 5
"""

import argparse
import json

import mnistry
from book.fresh import measured
from book.printed import BANDS
from mnistry.atomic import write_text

MEASURED = ("softmax", "softmax-sum", "scratch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", nargs="+", default=MEASURED, choices=MEASURED)
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    data = mnistry.load("mnist")
    bands = json.loads(BANDS.read_text()) if BANDS.exists() else {}
    for recipe in arguments.recipes:
        seeds = [measured(recipe, seed, data) for seed in range(arguments.seeds)]
        bands[recipe] = {step: [round(one[step], 5) for one in seeds] for step in seeds[0]}
        rows = ",\n".join(
            f" {json.dumps(name)}: {{\n"
            + ",\n".join(f"  {json.dumps(step)}: {values}" for step, values in of.items())
            + "\n }"
            for name, of in bands.items()
        )
        write_text(BANDS, f"{{\n{rows}\n}}\n")
        print(f"{recipe}: {arguments.seeds} seeds")


if __name__ == "__main__":
    main()
