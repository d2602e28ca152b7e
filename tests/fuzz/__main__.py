"""Fuzz everything that reads bytes from outside: ``python -m tests.fuzz [TARGET …] [--cpu-minutes 30]``.

Coverage-guided (atheris, from the extra `fuzz`), with changes that know the structure of the input.

    python -m tests.fuzz --cpu-minutes 1                        # a look at everything
    python -m tests.fuzz dicom --cpu-minutes 10 --seed 7        # one target for longer
    python -m tests.fuzz dicom --replay results/fuzz/dicom/findings/*  # what was found, once more
"""

import argparse
import sys
from pathlib import Path

from tests.fuzz import campaign
from tests.fuzz.targets import TARGETS
from tests.fuzz.watch import examine


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"any of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--cpu-minutes", type=float, default=30, help="CPU time of all targets together (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path("results/fuzz"), help="folder (%(default)s)")
    parser.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="examine files of one target, no more")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there is {', '.join(TARGETS)}")
    if arguments.replay and len(arguments.targets) != 1:
        parser.error("--replay needs the one target that the files belong to")
    return arguments


def _replay(name: str, files: list[Path]) -> int:
    target = TARGETS[name]
    check = target.open()
    for file in files:
        examine(check, file.read_bytes(), target.allowance)
        print(f"{file}: as it should be")
    return 0


def main() -> int:
    """Fuzz, print the table; 1 if anything was found."""
    arguments = _arguments()
    if arguments.replay:
        return _replay(arguments.targets[0], arguments.replay)
    targets = arguments.targets or list(TARGETS)
    tallies = campaign.run(targets, 60 * arguments.cpu_minutes, arguments.seed, arguments.output)
    print("| target | CPU s | inputs | branches reached | corpus | findings |\n| :-- | --: | --: | --: | --: | --: |")
    for each in tallies:
        figures = (each.cpu_s, each.executions, each.code_reached, each.corpus, len(each.findings))
        print(f"| {each.target} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
    for each in tallies:
        for finding in each.findings:
            print(f"{each.target}: {finding}", file=sys.stderr)
    return int(any(each.findings for each in tallies))


if __name__ == "__main__":
    sys.exit(main())
