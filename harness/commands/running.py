"""The commands that make results: `harness run` and `harness merge`."""

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.commands.judging import passes
from harness.dataset.catalogue import open_dataset
from harness.finished import FinishedRun
from harness.finished_shards import config_of, find_shards
from harness.gate.options import GateCheck, read_gate_options
from harness.pipeline import run
from harness.progress import Bars
from harness.runconfig import RunConfig, load_run_config
from harness.servers import Server
from harness.settings import ConfigError
from harness.sharding import merge, run_shard
from harness.sources.catalogue import open_sources
from harness.summary.estimates import Tree
from harness.summary.table import result_table
from wronglung.client import AlignmentClient, Retry

PATIENT = Retry(attempts=10, longest_wait_s=8.0)
"""A server that was there when the run began may take half a minute to come back."""


def evaluate(options: argparse.Namespace) -> int:
    """`harness run`. Exit status: as `harness.cli.main`."""
    config = _config(options)
    gate = read_gate_options(options, results=config.out)
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


def merge_shards(options: argparse.Namespace) -> int:
    """`harness merge`. Exit status: as `harness.cli.main`."""
    gate = read_gate_options(options, results=options.output)
    shards = find_shards(options.shards)
    config = config_of(shards, options.output)
    with Bars() as progress:
        sources = open_sources(config.maps_from)
        summary = merge(config, open_dataset(config.dataset), shards, sources=sources, progress=progress)
    return _tell(config, summary, gate)


def _tell(config: RunConfig, summary: Tree, gate: GateCheck | None) -> int:
    print(result_table(summary))
    print(f"report: {config.out / 'report.html'}")
    passed = passes(gate, FinishedRun(config.out))
    return 0 if passed and any(summary["models"][model]["none"] for model in config.models) else 1


def _config(options: argparse.Namespace) -> RunConfig:
    overrides = list(options.set)
    if options.limit is not None:
        overrides.append(f"limit={options.limit}")
    if options.out:
        overrides.append(f"out={json.dumps(options.out)}")  # JSON is YAML: any name of a folder is read as a text
    return load_run_config(options.run_file, overrides)


@contextmanager
def _clients(config: RunConfig) -> Iterator[dict[str, AlignmentClient]]:
    """Model → a client to the server that has it; without the models whose maps were made elsewhere."""
    servers = sorted(set(config.servers.values()), key=repr)
    for server in servers:
        with _client(server) as client:
            check_served(config, server, client)
    with ExitStack() as stack:
        clients = {server: stack.enter_context(_client(server, retry=PATIENT)) for server in servers}
        yield {model: clients[server] for model, server in config.servers.items()}


def _client(server: Server, retry: Retry | None = None) -> AlignmentClient:
    """A client to a server.

    Raises:
        ConfigError: what the run file says of it cannot be.
    """
    try:
        return AlignmentClient(server.target or None, tls=server.tls, token_file=server.token_file, retry=retry)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the server {server.target or 'of the run'}: {error}") from error


def check_served(config: RunConfig, server: Server, client: AlignmentClient) -> None:
    """Raise ConfigError unless a server has every model of the run that is to be found there."""
    served = sorted({model.identity.name for model in client.models()})
    wanted = [config.served_as[model] for model, where in config.servers.items() if where == server]
    missing = [name for name in wanted if name not in served]
    if missing:
        there = f"the server {server.target}" if server.target else "the server"
        raise ConfigError(f"model {missing[0]!r} is not served; {there} has: {', '.join(served) or 'none'}")
