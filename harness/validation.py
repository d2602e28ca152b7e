"""Everything that a run file reads, checked without running it: data set, maps made elsewhere, ratings."""

from collections.abc import Iterator

from harness.dataset.base import Dataset, validate
from harness.dataset.catalogue import read_dataset
from harness.ratings import QUESTIONS, Ratings, read_ratings
from harness.runconfig import RunConfig
from harness.sources.catalogue import Source, open_sources
from harness.sources.keys import key_of


def validate_dataset(dataset: Dataset) -> tuple[list[str], bool]:
    """The report on a data set, and whether there are images and nothing was left out."""
    report = validate(dataset)
    return report.lines(), bool(report.found.images and not report.findings.left_out)


def validate_run(config: RunConfig) -> tuple[list[str], bool]:
    """The report for people, one line each, and whether nothing was left out.

    Raises:
        ConfigError: a file is missing or cannot be read at all.
    """
    dataset = read_dataset(config.dataset)
    lines, whole = validate_dataset(dataset)
    for model, source in open_sources(config.maps_from).items():
        lines += [*_source_lines(model, source, dataset), *source.findings.lines()]
        whole = whole and not source.findings.left_out
    if config.ratings is not None:
        ratings = read_ratings(config.ratings, dataset, config.models)
        lines += [*_rating_lines(ratings), *ratings.findings.lines()]
        whole = whole and not ratings.findings.left_out
    return lines, whole


def _source_lines(model: str, source: Source, dataset: Dataset) -> Iterator[str]:
    texts = [key_of(record.image_id, sentence.text) for record in dataset for sentence in record.sentences]
    identity = source.identity
    yield f"maps of {model}  ({identity.version.removeprefix('maps:')}, digest {identity.weights_digest[:16]}…)"
    yield f"  {len(source)} maps, for {sum(key in source for key in texts)} of {len(texts)} sentences as written"


def _rating_lines(ratings: Ratings) -> Iterator[str]:
    yield f"ratings  (digest {ratings.digest[:16]}…)"
    yield f"  {ratings.rows} rows"
    for (model, question), of_maps in ratings.of.items():
        yield f"  {model}: {len(of_maps)} maps rated by {question}"
    if not ratings.of:
        yield f"  no map is rated by {', '.join(QUESTIONS)}"
