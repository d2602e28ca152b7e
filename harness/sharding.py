"""A run that several processes collect: each writes the parts of its shard; merging makes the results of all parts.

    results/<run>/shards/<i>-of-<n>/   parts/ and, when they are all there, shard.json

Every shard reads the whole data set, so that what is borrowed from other images is what an undivided run borrows; the
merged parts are those of the undivided run, and so is everything that is made of them, to the byte.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from harness.collect.exchange import StreamClient
from harness.collect.partfile import read_note, read_part, write_part
from harness.collect.parts import Layout, RunError, layout_of, merge_served, note_of
from harness.collect.routes import Routes
from harness.collect.shards import Shard, owners
from harness.dataset.base import Dataset
from harness.finished_shards import FinishedShard, check_shards
from harness.lineage import collected_by, served_by
from harness.manifest import make_manifest, now
from harness.progress import Progress
from harness.results import SCHEMA_VERSION, RunDirectory, plain, write_json
from harness.runconfig import RunConfig
from harness.sources.catalogue import Source
from harness.stages import Run, open_run
from harness.summary.estimates import Tree


def run_shard(
    config: RunConfig,
    dataset: Dataset,
    client: StreamClient | Mapping[str, StreamClient] | None,
    shard: Shard,
    *,
    sources: Mapping[str, Source] = MappingProxyType({}),
    resume: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Collect one shard of a run and return its directory, which lies in `config.out`.

    Raises:
        RunError: with `resume`, the directory holds another run's parts; or a model's weights changed meanwhile.
        ServerLostError: the server is gone; finished parts are kept.
    """
    directory = RunDirectory(RunDirectory(config.out).shards / shard.folder)
    layout = layout_of(config, dataset, shard)
    this = open_run(config, dataset, directory, layout, sources, progress)
    if resume:
        directory.clear_results()
    else:
        directory.clear()
    started = now()
    exchange = this.exchange(client)
    this.collect(Routes(exchange, sources))
    this.stages.end()
    note = make_manifest(
        schema_version=SCHEMA_VERSION,
        shard=str(shard),
        config=config.model_dump(mode="json"),
        fingerprint=this.fingerprint,
        dataset={"name": dataset.name, "digest": dataset.digest, "images_run": layout.run_images},
        images=layout.images,
        models=served_by(this.parts),
        **collected_by(exchange, started),
        finished_at=now(),
        seconds=this.stages.seconds,
    )
    write_json(directory.shard_note, note)
    return directory.root


def merge(
    config: RunConfig,
    dataset: Dataset,
    shards: Sequence[FinishedShard],
    *,
    sources: Mapping[str, Source] = MappingProxyType({}),
    progress: Progress | None = None,
) -> Tree:
    """Make the results of the run of its shards, in `config.out`, and return the summary. The shards are kept.

    Raises:
        RunError: a shard is missing, there twice, damaged, of another run or of other code than this.
    """
    check_shards(shards)
    run = open_run(config, dataset, RunDirectory(config.out), layout_of(config, dataset), sources, progress)
    _check_current(run, shards[0])
    for found in shards:
        if found.directory.root.resolve() == run.directory.root.resolve():
            raise RunError(f"{found} would be overwritten: choose another OUTPUT")
    run.directory.clear()
    _merge_parts(run, shards)
    return run.conclude(
        {
            "started_at": min(found.note["started_at"] for found in shards),
            "requests_sent_again": sum(found.note["requests_sent_again"] for found in shards),
            "shards": len(shards),
        }
    )


def _check_current(run: Run, first: FinishedShard) -> None:
    """Check that data set, maps and code are those that the shards were made with."""
    if run.dataset.digest != first.note["dataset"]["digest"]:
        raise RunError(
            f"the data set has changed since {first} was collected: its digest was "
            f"{first.note['dataset']['digest'][:16]}…, now it is {run.dataset.digest[:16]}…"
        )
    for model, source in run.sources.items():
        served = first.note["models"].get(model)
        if served is not None and served["weights_digest"] != source.identity.weights_digest:
            raise RunError(f"the maps of {model!r} have changed since {first} was collected: run the shards anew")
    if run.fingerprint != first.note["fingerprint"]:
        raise RunError(f"{first} was made by another version of the code than this: merge with that one")


def _merge_parts(run: Run, shards: Sequence[FinishedShard]) -> None:
    """Write the parts of the run, one in memory at a time."""
    run.stages.begin("merge")
    owner = owners(islice(run.dataset, run.layout.run_images), len(shards))
    layouts = [Layout(s.shard, owner == s.shard.index, run.layout.images_per_part) for s in shards]
    run.stages.progress.expect(run.layout.images, unit="image")
    for number in run.layout.numbers:
        tables, models = [], dict[str, dict[str, Any]]()
        for found, layout in zip(shards, layouts, strict=True):
            if layout.size(number):
                table, served = _read_part_of(found, layout, number, run.fingerprint)
                tables.append(table)
                for model, node in served.items():
                    merge_served(models, model, node)
        note = note_of(run.fingerprint, run.layout, number, dict(sorted(models.items())))
        write_part(run.directory.part(number), _in_order(pa.concat_tables(tables)), note)
        run.stages.progress.advance(run.layout.size(number))


def _read_part_of(
    found: FinishedShard, layout: Layout, number: int, print_: str
) -> tuple[pa.Table, dict[str, dict[str, Any]]]:
    """The rows of a shard's part, and which weights answered."""
    path = found.directory.part(number)
    note, table = read_note(path), read_part(path)
    if note is None or table is None:
        raise RunError(f"{path.name} of {found} is missing or damaged: run the shard again with --resume")
    if note != plain(note_of(print_, layout, number, note["models"])):
        raise RunError(f"{path.name} of {found} is no part of that shard: run the shard again without --resume")
    return table.replace_schema_metadata(None), note["models"]


def _in_order(table: pa.Table) -> pa.Table:
    """The rows as an undivided run has them: image by image; those of one image stay in their order."""
    order = np.argsort(table.column("image_index").to_numpy(), kind="stable")
    return table.take(pa.array(order)).combine_chunks()
