"""The `harness` command. What its commands do is in `harness.commands`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.collect.exchange import ServerLostError
from harness.collect.parts import RunError
from harness.collect.shards import Shard
from harness.commands import reading, running
from harness.commands.examples import EXAMPLES
from harness.dataset.base import DatasetError
from harness.gate.options import add_gate_options
from harness.metrics import MetricError
from harness.report import ResultsError
from harness.report.seeds import WITHIN
from harness.settings import ConfigError
from wronglung.errors import WronglungError

TOLD = (ConfigError, DatasetError, MetricError, RunError, ServerLostError, WronglungError, ResultsError)
"""Errors whose message is all that a user needs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Exit status: 0 done, 1 a gate is broken or nothing was answered, 2 wrong use."""
    options = parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except BrokenPipeError:  # e.g. `| head`; Python would complain once more when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except TOLD as error:
        print(f"harness: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written: not 1, which says that a gate is broken
        print(f"harness: {_reason(error)}{_how_to_go_on(options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"harness: stopped{_how_to_go_on(options)}", file=sys.stderr)
        return 130


def _reason(error: OSError) -> str:
    """In words, with the file where there is one."""
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)


def _how_to_go_on(options: argparse.Namespace) -> str:
    """Only what collects leaves something behind to go on from."""
    return "; run again with --resume to go on" if "resume" in options else ""


def parser() -> argparse.ArgumentParser:
    """The command line: every command with its options."""
    whole = argparse.ArgumentParser(prog="harness", description="Measure whether attention maps can be trusted.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    _add_run(_command(commands, "run", running.evaluate, "evaluate the served models as a run file says"))
    shards = _command(commands, "merge", running.merge_shards, "make the results of a run of all its shards")
    shards.add_argument("shards", type=Path, nargs="+", metavar="SHARDS", help="folders of shards, or that hold some")
    shards.add_argument("output", type=Path, metavar="OUTPUT", help="where the results go")
    add_gate_options(shards)
    folder = _command(commands, "report", reading.report_again, "write the report of a finished run again")
    folder.add_argument("directory", type=Path, metavar="DIR", help="what `harness run` wrote")
    folder.add_argument("--tables", type=Path, metavar="FOLDER", help="also write every table as .md and .tex")
    folder.add_argument("--page", type=Path, metavar="FILE", help="also write all of them as one Markdown page")
    pair = _command(commands, "compare", reading.compare_runs, "what changed from run A to run B, sentence by sentence")
    pair.add_argument("a", type=Path, metavar="A", help="results of the run before")
    pair.add_argument("b", type=Path, metavar="B", help="results of the run after")
    add_gate_options(pair)
    again = _command(commands, "seeds", reading.compare_seeds, "how far models differ that only the seed sets apart")
    again.add_argument("results", type=Path, nargs="+", metavar="DIR", help="what `harness run` wrote")
    again.add_argument(
        "--page", type=Path, metavar="FILE", help="also write a Markdown page; its chapters of other runs stay"
    )
    again.add_argument(
        "--within", type=float, default=WITHIN, metavar="D", help="allowed difference of AUROC (default: %(default)s)"
    )
    passed = _command(commands, "gate", reading.judge_run, "whether a finished run passes")
    passed.add_argument("directory", type=Path, metavar="DIR", help="what `harness run` wrote")
    add_gate_options(passed, required=True)
    data = _command(commands, "validate", reading.validate, "check a data set and say what would be left out")
    data.add_argument("dataset", metavar="DATASET", help="KIND:VALUE, a JSONL file or a run file")
    layout = _command(
        commands, "export", reading.export_phantoms, "write phantoms in the layout of a real data set, to try a set-up"
    )
    layout.add_argument("layout", metavar="LAYOUT", help="one of those below")
    layout.add_argument("directory", type=Path, metavar="DIR", help="a folder that is new or empty")
    layout.add_argument("--patients", type=int, default=20, metavar="N", help="how many (default: 20)")
    layout.add_argument("--seed", type=int, default=0, metavar="S", help="other phantoms for another seed (default: 0)")
    return whole


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=EXAMPLES[name],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(action=action)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_file", type=Path, metavar="RUN.yaml", help="what to evaluate, on what, and how")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key, e.g. seed=1")
    parser.add_argument("--resume", action="store_true", help="keep the parts of a killed run and go on")
    parser.add_argument("--shard", type=_shard, metavar="I/N", help="only shard I of N, counted from 0, by image id")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N images")
    parser.add_argument("--out", metavar="DIR", help="where the results go")
    add_gate_options(parser)


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
