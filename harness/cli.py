"""The `harness` command."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import report
from harness.collect.exchange import ServerLostError
from harness.collect.parts import RunError
from harness.collect.shards import Shard
from harness.compare import compare
from harness.dataset.base import DatasetError
from harness.dataset.catalogue import FORMATS, open_dataset, parse_dataset, read_dataset
from harness.dataset.export.catalogue import EXPORTERS, export
from harness.finished import FinishedRun
from harness.finished_shards import config_of, find_shards
from harness.gate.options import GateCheck, add_gate_options, read_gate_options
from harness.metrics import MetricError
from harness.pipeline import run
from harness.progress import Bars
from harness.runconfig import RunConfig, load_run_config
from harness.settings import ConfigError
from harness.sharding import merge, run_shard
from harness.sources.catalogue import open_sources
from harness.summary.estimates import Tree
from harness.summary.table import result_table
from harness.validation import validate_dataset, validate_run
from wronglung.client import AlignmentClient, Retry
from wronglung.errors import WronglungError

PATIENT = Retry(attempts=10, longest_wait_s=8.0)
"""A server that was there when the run began may take half a minute to come back."""

EXAMPLES = {
    "run": """\
examples:
  harness run harness/runs/demo.yaml
  harness run harness/runs/demo.yaml --set dataset.patients=20 --set models='[encoder]' --out results/small
  harness run harness/runs/demo.yaml --limit 10      a quick look: the first ten images
  harness run harness/runs/demo.yaml --set strata='[side, box_size]'    by side, by box size (docs/subsets.md)
  harness run harness/runs/nightly.yaml --resume     go on where a killed run stopped
  harness run harness/runs/nightly.yaml --shard 0/4  the first of four shards: merge them afterwards""",
    "merge": """\
examples:
  harness merge results/nightly/shards results/nightly
  harness merge from/one/machine/0-of-2 from/another/1-of-2 results/nightly""",
    "report": """\
examples:
  harness report results/demo        write results/demo/report.html again
  harness report results/demo --tables paper/tables
                                     every table as Markdown and as LaTeX (booktabs)
  harness report results/nightly --page docs/phantom-results.md
                                     answers, tables and lineage as one Markdown page""",
    "compare": """\
examples:
  harness compare results/yesterday results/today
  harness compare results/yesterday results/today --gate gate.yaml --junit gate.xml

the gate judges B, and its changes since A; `harness gate --help` shows a gate file""",
    "gate": """\
examples:
  harness gate results/today --gate harness/gates/nightly.yaml
  harness gate results/today --gate gate.yaml --junit gate.xml

a gate file names numbers of summary.json and bounds, which are held against 95 % intervals:
  require: not_refuted                 # or shown: the whole interval must lie within the bounds
  against: results/pinned              # the run that changes are measured from
  conditions:
    - {value: failures, at_most: 0}
    - {value: models.encoder.none.abnormal.exact.auroc, at_least: 0.7}
    - {value: deltas.encoder.swap_left_right.one_lung.exact.auroc, at_most: -0.02, require: shown}
    - {change: laterality.encoder.lri, at_least: -0.01}

exit status 1 when a condition is broken or cannot be decided (docs/operations.md)""",
    "validate": "\n".join(
        [
            "a data set is named as in a run file: KIND:VALUE, or KIND:VALUE,key=value,... with more of its settings;",
            "or give the run file itself",
            "",
            "examples:",
            *(f"  harness validate {form.example}\n      {form.meaning}" for form in FORMATS.values()),
            "  harness validate my/data.jsonl\n      the same as jsonl:my/data.jsonl",
            "  harness validate harness/runs/demo.yaml\n      what that run would evaluate",
        ]
    ),
    "export": "\n".join(
        [
            "layouts:",
            *(f"  {layout:<20} {exporter.meaning}" for layout, exporter in EXPORTERS.items()),
            "",
            "examples:",
            "  harness export jsonl my/phantoms --patients 20",
            "  harness validate jsonl:my/phantoms/data.jsonl",
        ]
    ),
}

TOLD = (ConfigError, DatasetError, MetricError, RunError, ServerLostError, WronglungError, report.ResultsError)
"""Errors whose message is all that a user needs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Exit status: 0 done, 1 a gate is broken or nothing was answered, 2 wrong use."""
    options = parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = options.action
    try:
        return action(options)
    except TOLD as error:
        print(f"harness: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # e.g. `| head`; Python would complain once more when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("harness: stopped; run again with --resume to go on", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line: every command with its options."""
    whole = argparse.ArgumentParser(prog="harness", description="Measure whether attention maps can be trusted.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    _add_run(_command(commands, "run", _run, "evaluate the served models as a run file says"))
    shards = _command(commands, "merge", _merge, "make the results of a run of all its shards")
    shards.add_argument("shards", type=Path, nargs="+", metavar="SHARDS", help="folders of shards, or that hold some")
    shards.add_argument("output", type=Path, metavar="OUTPUT", help="where the results go")
    add_gate_options(shards)
    folder = _command(commands, "report", _report, "write the report of a finished run again")
    folder.add_argument("directory", type=Path, metavar="DIR", help="what `harness run` wrote")
    folder.add_argument("--tables", type=Path, metavar="FOLDER", help="also write every table as .md and .tex")
    folder.add_argument("--page", type=Path, metavar="FILE", help="also write all of them as one Markdown page")
    pair = _command(commands, "compare", _compare, "what changed from run A to run B, sentence by sentence")
    pair.add_argument("a", type=Path, metavar="A", help="results of the run before")
    pair.add_argument("b", type=Path, metavar="B", help="results of the run after")
    add_gate_options(pair)
    passed = _command(commands, "gate", _gate, "whether a finished run passes")
    passed.add_argument("directory", type=Path, metavar="DIR", help="what `harness run` wrote")
    add_gate_options(passed, required=True)
    data = _command(commands, "validate", _validate, "check a data set and say what would be left out")
    data.add_argument("dataset", metavar="DATASET", help="KIND:VALUE, a JSONL file or a run file")
    layout = _command(commands, "export", _export, "write phantoms in the layout of a real data set, to try a set-up")
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


def _config(options: argparse.Namespace) -> RunConfig:
    overrides = list(options.set)
    if options.limit is not None:
        overrides.append(f"limit={options.limit}")
    config = load_run_config(options.run_file, overrides)
    return config.model_copy(update={"out": Path(options.out)}) if options.out else config


def _run(options: argparse.Namespace) -> int:
    config = _config(options)
    gate = read_gate_options(options)
    if options.shard is not None and gate is not None:
        raise ConfigError("a gate judges a whole run: give --gate and --junit to `harness merge`")
    dataset = open_dataset(config.dataset)
    sources = open_sources(config.maps_from)
    with _clients(config) as clients, Bars() as progress:
        if options.shard is not None:
            folder = run_shard(
                config, dataset, clients, options.shard, sources=sources, resume=options.resume, progress=progress
            )
            print(f"shard {options.shard}: {folder}")
            return 0
        summary = run(config, dataset, clients, sources=sources, resume=options.resume, progress=progress)
    return _tell(config, summary, gate)


def _merge(options: argparse.Namespace) -> int:
    gate = read_gate_options(options)
    shards = find_shards(options.shards)
    config = config_of(shards, options.output)
    with Bars() as progress:
        sources = open_sources(config.maps_from)
        summary = merge(config, open_dataset(config.dataset), shards, sources=sources, progress=progress)
    return _tell(config, summary, gate)


def _tell(config: RunConfig, summary: Tree, gate: GateCheck | None) -> int:
    print(result_table(summary))
    print(f"report: {config.out / 'report.html'}")
    passed = gate is None or _passes(gate, FinishedRun(config.out))
    return 0 if passed and any(summary["models"][model]["none"] for model in config.models) else 1


def _passes(gate: GateCheck, finished: FinishedRun) -> bool:
    text, passed = gate.judge(finished)
    print(f"\n{text}")
    return passed


@contextmanager
def _clients(config: RunConfig) -> Iterator[dict[str, AlignmentClient]]:
    """Model → a client to the server that has it; without the models whose maps were made elsewhere."""
    targets = sorted(set(config.targets.values()))
    for target in targets:
        with AlignmentClient(target or None) as client:
            check_served(config, target, client)
    with ExitStack() as stack:
        clients = {target: stack.enter_context(AlignmentClient(target or None, retry=PATIENT)) for target in targets}
        yield {model: clients[target] for model, target in config.targets.items()}


def check_served(config: RunConfig, target: str, client: AlignmentClient) -> None:
    """Raise ConfigError unless a server has every model of the run that is to be found there."""
    served = sorted({model.identity.name for model in client.models()})
    wanted = [config.served_as[model] for model, address in config.targets.items() if address == target]
    missing = [name for name in wanted if name not in served]
    if missing:
        server = f"the server {target}" if target else "the server"
        raise ConfigError(f"model {missing[0]!r} is not served; {server} has: {', '.join(served) or 'none'}")


def _report(options: argparse.Namespace) -> int:
    print(report.render(options.directory))
    if options.tables:
        count = report.write_tables(options.directory, options.tables)
        print(f"{options.tables}: {count} tables as Markdown and LaTeX")
    if options.page:
        report.write_page(options.directory, options.page)
        print(options.page)
    return 0


def _compare(options: argparse.Namespace) -> int:
    a, b = FinishedRun(options.a), FinishedRun(options.b)
    gate = read_gate_options(options, pinned=a)
    print(compare(a, b))
    return 0 if gate is None or _passes(gate, b) else 1


def _gate(options: argparse.Namespace) -> int:
    gate = read_gate_options(options)
    return 0 if gate is None or _passes(gate, FinishedRun(options.directory)) else 1


def _validate(options: argparse.Namespace) -> int:
    name: str = options.dataset
    if name.endswith((".yaml", ".yml")):
        lines, whole = validate_run(load_run_config(Path(name)))
    else:
        lines, whole = validate_dataset(read_dataset(parse_dataset(name)))
    print("\n".join(lines))
    return 0 if whole else 1


def _export(options: argparse.Namespace) -> int:
    written = export(options.layout, options.directory, patients=options.patients, seed=options.seed)
    print(
        "\n".join([f"wrote {options.directory}; look at it with", *(f"  harness validate {name}" for name in written)])
    )
    return 0
