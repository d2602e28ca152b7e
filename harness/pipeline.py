"""One run from beginning to end: parts → cases.parquet → summary.json → gallery → manifest.json → report.html."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.collect.exchange import StreamClient
from harness.collect.parts import layout_of
from harness.collect.routes import Routes
from harness.dataset.base import Dataset
from harness.lineage import collected_by
from harness.manifest import now
from harness.progress import Progress
from harness.results import RunDirectory
from harness.resuming import has_finished
from harness.runconfig import RunConfig
from harness.sources.catalogue import Source
from harness.stages import open_run
from harness.summary.estimates import Tree


def run(
    config: RunConfig,
    dataset: Dataset,
    client: StreamClient | Mapping[str, StreamClient] | None,
    *,
    sources: Mapping[str, Source] = MappingProxyType({}),
    resume: bool = False,
    progress: Progress | None = None,
) -> Tree:
    """Run an evaluation, write its results to `config.out` and return the summary.

    Without `resume`, what an earlier run left in that directory is replaced. With it, parts that are there are not
    collected again, and a run that has finished is only reported again. Models with a source need no client; where
    models have several servers, `client` is a mapping of model → client.

    Raises:
        RunError: the directory holds another run, or the same finished with other settings, or a model's weights
            changed meanwhile.
        ServerLostError: the server is gone; finished parts are kept.
    """
    this = open_run(config, dataset, RunDirectory(config.out), layout_of(config, dataset), sources, progress)
    if not resume:
        this.directory.clear()
    elif has_finished(this):
        this.report()
        return this.read_summary()
    else:
        this.directory.clear_results()
    started = now()
    exchange = this.exchange(client)
    this.collect(Routes(exchange, sources))
    return this.conclude(collected_by(exchange, started))
