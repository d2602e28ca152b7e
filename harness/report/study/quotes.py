"""Published rows among a table's own."""

from collections.abc import Iterable, Iterator

from harness.report.study.published import VARIANTS, variant_of
from harness.report.tables import Cell, Row


def quoted(variant: str, cells: Iterable[Cell]) -> Row:
    """The published row of one of the study's models."""
    return Row(f"{VARIANTS[variant]}, published", tuple(cells), quoted=True)


def with_quotes(rows: dict[str, Row], quotes: dict[str, Row]) -> tuple[Row, ...]:
    """Each model's row (by model), followed by the published one (by variant) that the model is named after; the other
    published ones last."""
    left = dict(quotes)

    def ordered() -> Iterator[Row]:
        for model, row in rows.items():
            yield row
            variant = variant_of(model)
            if variant in left:
                yield left.pop(variant)
        yield from left.values()

    return tuple(ordered())
