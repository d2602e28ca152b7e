"""What a run writes down at every look: a table in a file, curves for TensorBoard."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from harness.settings import ConfigError

LogName = Literal["csv", "tensorboard"]
LOG_FILE = "log.csv"
TENSORBOARD_FOLDER = "tensorboard"
Row = Mapping[str, float]
"""A figure for each column; `step` is one of them."""
WriteRow = Callable[[Row], None]
_WHOLE = ("step", "best")


def check_logs(names: Sequence[LogName]) -> None:
    """Check before anything is computed that everything can be written.

    Raises:
        ConfigError: a package is missing.
    """
    if "tensorboard" in names:
        try:
            import tensorboard  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                "logs: tensorboard needs the package of that name: pip install 'wronglung[tensorboard]'"
            ) from error


@contextmanager
def open_logs(names: Sequence[LogName], folder: Path, columns: Sequence[str], after: int) -> Iterator[WriteRow]:
    """Write rows to every log. What an earlier run wrote of later steps than `after` is dropped; 0 drops all."""
    with ExitStack() as stack:
        writers = [stack.enter_context(_OPEN[name](folder, columns, after)) for name in names]

        def write(row: Row) -> None:
            for writer in writers:
                writer(row)

        yield write


@contextmanager
def _csv(folder: Path, columns: Sequence[str], after: int) -> Iterator[WriteRow]:
    path = folder / LOG_FILE
    kept = [row for row in _read(path) if int(row["step"]) <= after] if after else []
    with path.open("w", newline="", encoding="utf-8") as file:
        log = csv.DictWriter(file, columns)
        log.writeheader()
        log.writerows(kept)
        file.flush()

        def write(row: Row) -> None:
            log.writerow({name: f"{value:d}" if name in _WHOLE else f"{value:.5g}" for name, value in row.items()})
            file.flush()

        yield write


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@contextmanager
def _tensorboard(folder: Path, columns: Sequence[str], after: int) -> Iterator[WriteRow]:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / TENSORBOARD_FOLDER), purge_step=after + 1) as board:

        def write(row: Row) -> None:
            for name in columns:
                if name != "step":
                    board.add_scalar(name, row[name], int(row["step"]))
            board.flush()

        yield write


_OPEN = {"csv": _csv, "tensorboard": _tensorboard}
