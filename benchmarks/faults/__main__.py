"""Run the campaign: ``python -m benchmarks.faults --help``."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.faults.isolation import enter
from benchmarks.faults.kinds import KINDS
from benchmarks.faults.report import as_json, as_markdown, broken, late
from benchmarks.faults.server import SIGNS
from benchmarks.faults.stage import Settings, stage

_EXAMPLES = """\
examples:
  python -m benchmarks.faults --faults 100 --seed 0 --output results/faults
  python -m benchmarks.faults --faults 3 --kinds "backend killed" "clock jump"
  python -m benchmarks.faults --backend plain --faults 30

Exit status: 0 every promise was kept, 1 one was broken (a call without an answer, a wrong answer, something left
behind, a server that did not come back). With --judge-times also where it came back later than its target, which is a
fair judgement only of a machine that does nothing else. Packet loss and a full disk need namespaces (root, or users who
may have them), the clock needs a C compiler; what is missing is left out, and the result says so.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description="Hurt a real server under load and hold every call to what it was promised.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--faults", type=int, default=100, help="how many (default: %(default)s)")
    add("--seed", type=int, default=0, help="of moments, victims and calls (default: %(default)s)")
    add("--models", nargs="+", default=["encoder", "wronglung-1"], metavar="NAME", help="default: %(default)s")
    add("--backend", choices=list(SIGNS), default="torchserve", help="of the server (default: %(default)s)")
    add("--kinds", nargs="+", metavar="KIND", choices=[kind.name for kind in KINDS], help="only these (default: all)")
    add(
        "--lasting",
        type=float,
        default=5.0,
        metavar="S",
        help="how long a fault lasts that lasts (default: %(default)s)",
    )
    add("--minutes", type=float, default=60.0, help="begin no fault after so long (default: %(default)s)")
    add("--judge-times", action="store_true", help="count what took longer than its target as broken")
    add("--output", type=Path, default=Path("results/faults"), metavar="DIR", help="default: %(default)s")
    return parser.parse_args()


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    arguments = _arguments()
    judge_times = vars(arguments).pop("judge_times")
    enter("benchmarks.faults", sys.argv[1:])
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        result = stage(Settings(**vars(arguments)), Path(folder), print)
    (arguments.output / "faults.json").write_text(json.dumps(as_json(result), indent=1) + "\n")
    (arguments.output / "faults.md").write_text(as_markdown(result))
    print(as_markdown(result), *broken(result), *late(result), sep="\n")
    return 1 if broken(result) or (judge_times and late(result)) else 0


if __name__ == "__main__":
    sys.exit(main())
