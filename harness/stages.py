"""The stages of a run, each of which leaves its files behind. `harness.pipeline` puts them in order."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import report
from harness.collect.exchange import Exchange, StreamClient
from harness.collect.exchanges import Exchanges, exchange_with
from harness.collect.gather import Answering
from harness.collect.parts import Layout, PartMaker, RunError, fingerprint, missing_parts
from harness.collect.rows import PART_ONLY
from harness.dataset.base import Dataset, validate
from harness.gallery import write_gallery
from harness.lineage import images_digest, served_by
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


@dataclass(frozen=True, slots=True)
class Run:
    """The stages of one run, each a method that leaves its files behind."""

    config: RunConfig
    dataset: Dataset
    directory: RunDirectory
    layout: Layout
    stages: Stages
    sources: Mapping[str, Source]
    fingerprint: str
    """Equal for runs whose parts can be mixed."""
    ratings: Ratings | None
    """The human ratings, if the run has some."""

    @property
    def parts(self) -> list[Path]:
        """The files of all parts, in order."""
        return [self.directory.part(number) for number in self.layout.numbers]

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
        missing = missing_parts(self.directory, self.layout, self.fingerprint)
        perturbations = make_perturbations(self.config.perturbations, self.dataset, self.config.seed)
        subsets = self.subsets()
        done = self.layout.images - sum(map(self.layout.size, missing))
        self.stages.progress.expect(self.layout.images, done)
        maker = PartMaker(
            self.config, self.dataset, perturbations, subsets, self.directory, self.layout, self.fingerprint
        )
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
        summary = build_summary(self.config, self.dataset, cases, self.parts, self.ratings, progress)
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
            fingerprint=self.fingerprint,
            dataset={
                **validate(self.dataset).as_json(),
                "images_run": self.layout.run_images,
                "images_sha256": images_digest(cases),
            },
            models=served_by(self.parts),
            metrics={metric.name: metric.as_json() for metric in registered()},
            seeds={"perturbations": self.config.seed, "statistics": self.config.seed},
            finished_at=now(),
            seconds=self.stages.seconds,
            **self._sources(),
            **({"ratings": self.ratings.as_json()} if self.ratings is not None else {}),
            **collected,
        )
        write_json(self.directory.manifest, manifest)
        shutil.rmtree(self.directory.parts)

    def _sources(self) -> dict[str, Any]:
        """What was read from files and what was left out of them; no section if every model was served."""
        return {"sources": {name: noted(source) for name, source in self.sources.items()}} if self.sources else {}

    def report(self) -> None:
        """Write the report."""
        self.stages.begin("report")
        report.render(self.directory.root)
        self.stages.end()


def open_run(
    config: RunConfig,
    dataset: Dataset,
    directory: RunDirectory,
    layout: Layout,
    sources: Mapping[str, Source],
    progress: Progress | None,
) -> Run:
    """A run before its first stage. Files that it needs besides the data set are read now: a fault in them is better
    told before anything is sent than after.

    Raises:
        ConfigError: the human ratings cannot be read.
    """
    found = config.ratings
    return Run(
        config,
        dataset,
        directory,
        layout,
        Stages(progress or Progress()),
        sources,
        fingerprint(config, dataset, sources),
        read_ratings(found, dataset, config.models) if found is not None else None,
    )
