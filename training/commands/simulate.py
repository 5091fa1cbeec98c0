"""`python -m training simulate`: the rollout of good and bad models on a simulated fleet."""

import argparse
import sys
from collections.abc import Sequence

from training.change_plan import change_plan
from training.rollout.simulate import campaign, table


def main(argv: Sequence[str] | None = None) -> int:
    """Print how many rollouts of each model reached everybody, and how many were stopped when."""
    parser = argparse.ArgumentParser(prog="python -m training simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    asked = parser.parse_args(argv)
    print(table(campaign(asked.seeds, change_plan())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
