"""One run from beginning to end: parts → cases.parquet → summary.json → gallery → manifest.json → report.html."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness import report
from harness.collect.exchange import Exchange, StreamClient
from harness.collect.exchanges import Exchanges, exchange_with
from harness.collect.gather import Answering
from harness.collect.partfile import read_note
from harness.collect.parts import Layout, PartMaker, RunError, fingerprint, layout_of, merge_served, missing_parts
from harness.collect.routes import Routes
from harness.collect.rows import PART_ONLY
from harness.dataset.base import Dataset, validate
from harness.gallery import write_gallery
from harness.manifest import make_manifest, now
from harness.mapfiles import write_maps
from harness.metrics import registered
from harness.perturbation.catalogue import make_perturbations
from harness.progress import Progress, Stages
from harness.ratings import Ratings, read_ratings
from harness.results import SCHEMA_VERSION, RunDirectory, write_cases, write_json
from harness.runconfig import RunConfig
from harness.sources.catalogue import Source, noted
from harness.subsets import Membership, SubsetError, make_subsets
from harness.summary.build import build_summary
from harness.summary.cases import CaseTable
from harness.summary.estimates import Tree

NUMBERS = "numbers.columns"
"""Beside the parts: the numbers of `cases.parquet` once more, to be read column by column."""
FROM_THE_PARTS = ("name", "resamples", "ratings", "save_maps", "gallery")
"""Settings that decide what is computed from the parts, but not the parts themselves."""


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
    this = Run(
        config, dataset, RunDirectory(config.out), layout_of(config, dataset), Stages(progress or Progress()), sources
    )
    this.ratings()
    if not resume:
        this.directory.clear()
    elif this.finished():
        this.report()
        return this.read_summary()
    else:
        this.directory.clear_results()
    started = now()
    exchange = this.exchange(client)
    this.collect(Routes(exchange, sources))
    return this.conclude(collected_by(exchange, started))


@dataclass(frozen=True, slots=True)
class Run:
    """The stages of one run, each a method that leaves its files behind."""

    config: RunConfig
    dataset: Dataset
    directory: RunDirectory
    layout: Layout
    stages: Stages
    sources: Mapping[str, Source]

    @property
    def parts(self) -> list[Path]:
        """The files of all parts, in order."""
        return [self.directory.part(number) for number in self.layout.numbers]

    def finished(self) -> bool:
        """Whether this very run has finished here before.

        Raises:
            RunError: another one has, or this one with other settings of what is computed from the parts.
        """
        if not self.directory.manifest.is_file():
            return False
        manifest = json.loads(self.directory.manifest.read_bytes())
        if manifest.get("fingerprint") != fingerprint(self.config, self.dataset):
            raise RunError(
                f"{self.directory.root} holds another finished run, or this one by another version of the code: "
                "run without --resume to replace it"
            )
        if manifest["dataset"]["images_run"] != self.layout.run_images:
            return False
        wanted = self.config.model_dump(mode="json", include=set(FROM_THE_PARTS))
        changed = [key for key in FROM_THE_PARTS if manifest["config"].get(key) != wanted[key]]
        ratings = self.ratings()
        if ratings is not None and ratings.digest != manifest.get("ratings", {}).get("digest"):
            changed.append("file of ratings")
        if changed:
            raise RunError(
                f"{self.directory.root} holds this run finished with another {', '.join(changed)}, and its parts are "
                "gone: run without --resume to compute it anew"
            )
        shutil.rmtree(self.directory.parts, ignore_errors=True)  # a kill after the manifest was written leaves them
        return True

    def read_summary(self) -> Tree:
        """The summary of a finished run."""
        tree: Tree = json.loads(self.directory.summary.read_bytes())
        return tree

    def exchange(self, client: StreamClient | Mapping[str, StreamClient] | None) -> Exchange | Exchanges | None:
        """What asks the models that are served; `client` as for `run`."""
        served = self.config.served_as
        if client is None:
            return None
        clients = client if isinstance(client, Mapping) else dict.fromkeys(served, client)
        return exchange_with(clients, self.config.window, served)

    def collect(self, exchange: Answering) -> None:
        """Send every image whose part is not there yet, and write the parts."""
        self.stages.begin("collect")
        missing = missing_parts(self.directory, self.layout, fingerprint(self.config, self.dataset))
        perturbations = make_perturbations(self.config.perturbations, self.dataset, self.config.seed)
        subsets = self.subsets()
        done = self.layout.images - sum(map(self.layout.size, missing))
        self.stages.progress.expect(self.layout.images, done)
        maker = PartMaker(self.config, self.dataset, perturbations, subsets, self.directory, self.layout)
        maker.make(missing, exchange, self.stages.progress.advance)

    def conclude(self, collected: Mapping[str, Any]) -> Tree:
        """Everything that is made of the parts; `collected`: what the manifest says of how they came to be."""
        cases = self.join()
        summary = self.summarise(cases)
        self.show(cases)
        self.note(cases, collected)
        self.report()
        return summary

    def subsets(self) -> dict[str, Membership]:
        """The rule of every subset of the run.

        Raises:
            RunError: the data set has no sentence of a family that the run file names.
        """
        try:
            return make_subsets(self.config.subsets, self.dataset, self.config.strata)
        except SubsetError as error:
            raise RunError(f"{self.config.name}: {error}") from error

    def join(self) -> CaseTable:
        """Join the parts to one file of cases, and one of maps if asked for."""
        self.stages.begin("join")
        served_by(self.parts)
        self.stages.progress.expect(len(self.parts), unit="part")
        write_cases(self.directory.cases, self.stages.progress.each(self.parts), PART_ONLY)
        cases = CaseTable.open(self.directory.cases, self.directory.parts / NUMBERS)
        write_maps(self.directory, cases, self.parts, self.config.save_maps)
        return cases

    def summarise(self, cases: CaseTable) -> Tree:
        """Write the summary."""
        self.stages.begin("summarise")
        progress = self.stages.progress
        summary = build_summary(self.config, self.dataset, cases, self.parts, self.ratings(), progress)
        write_json(self.directory.summary, summary)
        return summary

    def show(self, cases: CaseTable) -> None:
        """Write the gallery."""
        self.stages.begin("gallery")
        write_gallery(self.directory, cases, self.parts, self.dataset, self.config)

    def note(self, cases: CaseTable, collected: Mapping[str, Any]) -> None:
        """Write the manifest, which says that the run has finished; the parts are no longer needed."""
        self.stages.end()
        manifest = make_manifest(
            schema_version=SCHEMA_VERSION,
            name=self.config.name,
            config=self.config.model_dump(mode="json"),
            fingerprint=fingerprint(self.config, self.dataset),
            dataset={
                **validate(self.dataset).as_json(),
                "images_run": self.layout.run_images,
                "images_sha256": _images_digest(cases),
            },
            models=served_by(self.parts),
            metrics={metric.name: metric.as_json() for metric in registered()},
            seeds={"perturbations": self.config.seed, "statistics": self.config.seed},
            finished_at=now(),
            seconds=self.stages.seconds,
            **self._sources(),
            **({"ratings": ratings.as_json()} if (ratings := self.ratings()) is not None else {}),
            **collected,
        )
        write_json(self.directory.manifest, manifest)
        shutil.rmtree(self.directory.parts)

    def ratings(self) -> Ratings | None:
        """The human ratings, if the run has some.

        Raises:
            ConfigError: they cannot be read: better before anything is sent than after.
        """
        found = self.config.ratings
        return read_ratings(found, self.dataset, self.config.models) if found is not None else None

    def _sources(self) -> dict[str, Any]:
        """What was read from files and what was left out of them; no section if every model was served."""
        return {"sources": {name: noted(source) for name, source in self.sources.items()}} if self.sources else {}

    def report(self) -> None:
        """Write the report."""
        self.stages.begin("report")
        report.render(self.directory.root)
        self.stages.end()


def collected_by(exchange: Exchange | Exchanges | None, started: str) -> dict[str, Any]:
    """What the manifest says of how the parts came to be."""
    return {"started_at": started, "requests_sent_again": exchange.retries if exchange is not None else 0}


def served_by(parts: Sequence[Path]) -> dict[str, Any]:
    """Model → which weights answered, over all parts.

    Raises:
        RunError: they changed between two parts.
    """
    found: dict[str, Any] = {}
    for part in parts:
        for model, node in (read_note(part) or {}).get("models", {}).items():
            merge_served(found, model, node)
    return dict(sorted(found.items()))


def _images_digest(cases: CaseTable) -> str:
    """SHA-256 over the digests of all encoded images that were sent, in order."""
    digests = dict.fromkeys(zip(cases.values("image_id"), cases.values("image_sha256"), strict=True))
    return hashlib.sha256("\n".join(f"{image} {digest}" for image, digest in digests).encode()).hexdigest()
