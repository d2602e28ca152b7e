"""The smaller parts of the report: what failed, what was left out, where the numbers come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.report import numbers, wording
from harness.report.caserows import failure_examples
from harness.report.reader import Json, Results, dig, mapping, parse_estimate
from harness.report.remedies import PREFIX, remedy
from harness.report.tables import Cell, Column, Group, Row, Table, estimate_cell


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known under it."""

    name: str
    value: str
    code: bool = False
    """Whether the value is something to copy, such as a digest or a command."""


def count_table(results: Results, section: str, caption: str, first: str) -> Table | None:
    """``<section>.<model>.<perturbation> = {kind: count}`` as a table; None when nothing was counted."""
    groups = tuple(
        Group(model, tuple(_count_rows(mapping(arms)))) for model, arms in mapping(results.summary.get(section)).items()
    )
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    return Table(section, caption, "Sentence or image", (Column(first, words=True), Column("Cases")), groups)


def missing_tables(results: Results) -> tuple[Table | None, Table | None, Table | None]:
    """What failed, what a perturbation does not apply to, what the data set's reader left out; None for nothing."""
    return (
        failures_table(results),
        count_table(results, "not_applicable", "Not applicable by reason", "Reason"),
        left_out(results),
    )


def failures_table(results: Results) -> Table | None:
    """What failed by its code, with an example and what to do about it."""
    examples = failure_examples(results.directory / "cases.parquet")
    groups = tuple(
        Group(model, tuple(_failure_rows(model, mapping(arms), examples)))
        for model, arms in mapping(results.summary.get("failures")).items()
    )
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    columns = (
        Column("Code", words=True),
        Column("Cases"),
        Column("For example", words=True),
        Column("What to do", words=True),
    )
    return Table("failures", "Failures by code", "Sentence or image", columns, groups)


def _failure_rows(model: str, arms: Json, examples: Mapping[tuple[str, str, str], str]) -> Iterator[Row]:
    for arm in wording.in_order(wording.PERTURBATIONS, arms):
        label = wording.term(wording.PERTURBATIONS, arm).label
        for code, count in sorted(mapping(arms[arm]).items()):
            if count:
                example = Cell(examples.get((model, arm, code), numbers.NULL))
                known = Cell(code.removeprefix(PREFIX)), Cell(numbers.thousands(int(count)))
                yield Row(label, (*known, example, Cell(remedy(code))))


def _count_rows(arms: Json) -> Iterator[Row]:
    for arm in wording.in_order(wording.PERTURBATIONS, arms):
        label = wording.term(wording.PERTURBATIONS, arm).label
        counts = arms[arm] if isinstance(arms[arm], dict) else {"": arms[arm]}
        for kind, count in sorted(counts.items()):
            if count:
                yield Row(label, (Cell(str(kind)), Cell(numbers.thousands(int(count)))))


def laterality_table(results: Results) -> Table | None:
    """Every estimate about left and right."""
    return _estimates_table(results, "laterality", "Laterality in full", 3)


def opt_out_table(results: Results) -> Table | None:
    """Every estimate about the opt-out mass, and about the decision that it makes."""
    return _estimates_table(results, "opt_out", "Opt-out in full", 4)


def _estimates_table(results: Results, section: str, caption: str, digits: int) -> Table | None:
    """Every estimate at ``<section>.<model>.<name>`` (deeper ones under a joined name); None when there is none."""
    groups = tuple(
        Group(model, tuple(_estimate_rows(mapping(node), digits)))
        for model, node in mapping(results.summary.get(section)).items()
    )
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    return Table(section, caption, "Measure", (Column("Mean [95 % interval]"), Column("n")), groups)


def _estimate_rows(node: Json, digits: int, prefix: str = "") -> Iterator[Row]:
    for key, value in node.items():
        label = f"{prefix}{key.replace('_', ' ')}"
        estimate = parse_estimate(value)
        if estimate is not None:
            yield Row(label, (estimate_cell(estimate, digits), Cell(numbers.thousands(estimate.n))))
        elif isinstance(value, dict):
            yield from _estimate_rows(value, digits, f"{label}: ")


def left_out(results: Results) -> Table | None:
    """What the data set's reader left out or found odd."""
    dataset = results.dataset
    groups = tuple(
        Group(title, tuple(_finding_rows(mapping(dataset.get(key)), mapping(dataset.get("examples")))))
        for key, title in (("left_out", "Left out"), ("warnings", "Kept, but odd"))
    )
    groups = tuple(group for group in groups if group.rows)
    if not groups:
        return None
    return Table(
        "left-out",
        "What the data set's reader found",
        "Kind",
        (Column("Count"), Column("For example", words=True)),
        groups,
    )


def _finding_rows(counts: Json, examples: Json) -> Iterator[Row]:
    for kind, count in sorted(counts.items()):
        example = next(iter(examples.get(kind) or ()), "")
        yield Row(kind.replace("_", " "), (Cell(numbers.thousands(int(count))), Cell(str(example))))


def lineage(results: Results) -> tuple[Fact, ...]:
    """Where the numbers come from, in the order in which one would ask."""
    manifest = results.manifest
    dataset = results.dataset
    facts = [
        Fact("Data set", _text(dataset.get("name"))),
        Fact("Digest of the records", _text(dataset.get("digest")), code=True),
        Fact("Digest of the images", _text(dataset.get("images_sha256")), code=True),
        Fact("Git commit", _text(manifest.get("git_commit")), code=True),
        Fact("Left out of the data set", _counts(dataset.get("left_out"))),
        Fact("Kept, but odd", _counts(dataset.get("warnings"))),
        Fact("Harness", _text(dig(manifest, "versions", "wronglung"))),
        Fact("Seed", _text(dig(manifest, "config", "seed"))),
        Fact("Seeds by use", ", ".join(f"{use} {seed}" for use, seed in mapping(manifest.get("seeds")).items())),
        Fact("Bootstrap resamples", _text(dig(manifest, "config", "resamples"))),
        *_model_facts(mapping(manifest.get("models"))),
        Fact("Software", ", ".join(f"{name} {version}" for name, version in mapping(manifest.get("versions")).items())),
        Fact("Platform", _text(manifest.get("platform"))),
        Fact("Finished", _text(manifest.get("finished_at"))),
        Fact("Requests sent again", _text(manifest.get("requests_sent_again"))),
    ]
    return tuple(fact for fact in facts if fact.value)


def _model_facts(models: Json) -> Iterator[Fact]:
    for name, node in models.items():
        model = mapping(node)
        about = [f"version {model['version']}" if "version" in model else "", _grid(model), _mode(model)]
        yield Fact(name, ", ".join(part for part in about if part))
        yield Fact(f"Weights of {name}", _text(model.get("weights_digest")), code=True)


def _grid(model: Json) -> str:
    grid = model.get("grid")
    return f"grid {grid[0]} × {grid[1]}" if isinstance(grid, list) and len(grid) == 2 else ""


def _mode(model: Json) -> str:
    deterministic = model.get("deterministic")
    if not isinstance(deterministic, bool):
        return ""
    return "deterministic" if deterministic else "throughput mode (maps may move by 1e-6)"


def _counts(node: object) -> str:
    counts = mapping(node).items()
    return ", ".join(f"{numbers.thousands(int(count))} × {kind.replace('_', ' ')}" for kind, count in sorted(counts))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def size_line(results: Results) -> str:
    """How much data there was, e.g. ``phantom:test: 300 images of 100 patients, 812 sentences``."""
    dataset = results.dataset
    counts = [
        f"{numbers.thousands(int(dataset[key]))} {key}"
        for key in ("patients", "images", "sentences")
        if isinstance(dataset.get(key), int)
    ]
    return " · ".join(part for part in (str(dataset.get("name", "")), *counts) if part)
