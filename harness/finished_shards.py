"""Shards that were collected to their end: found, read, and held against each other before they are merged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.collect.parts import RunError
from harness.collect.shards import Shard
from harness.results import RunDirectory
from harness.runconfig import RunConfig, parse_run_config

MAY_DIFFER = ("out", "target", "endpoints", "window")
"""Settings of a run that decide no number."""


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """One shard that was collected to its end, and what it says of itself."""

    directory: RunDirectory
    shard: Shard
    note: Mapping[str, Any]

    def __str__(self) -> str:
        return f"shard {self.shard} in {self.directory.root}"

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings, less those that decide no number."""
        return {key: value for key, value in self.note["config"].items() if key not in MAY_DIFFER}


def find_shards(sources: Sequence[Path]) -> list[FinishedShard]:
    """The shards in these folders, each of which is a shard's or holds several; in order of their numbers.

    Raises:
        RunError: there is none, or one has not finished.
    """
    folders = [folder for source in sources for folder in _shard_folders(source)]
    return sorted((_read_shard(folder) for folder in folders), key=lambda found: found.shard)


def _shard_folders(source: Path) -> list[Path]:
    if _is_shard(source):
        return [source]
    found = sorted(folder for folder in source.glob("*") if _is_shard(folder))
    if not found:
        raise RunError(f"there is no shard in {source}: name the folder that holds them, such as results/run/shards")
    return found


def _is_shard(folder: Path) -> bool:
    """Whether shards are written here, finished or not."""
    directory = RunDirectory(folder)
    return directory.shard_note.is_file() or directory.parts.is_dir()


def _read_shard(folder: Path) -> FinishedShard:
    directory = RunDirectory(folder)
    if not directory.shard_note.is_file():
        raise RunError(f"the shard in {folder} has not finished: run it again with --shard and --resume")
    try:
        note = json.loads(directory.shard_note.read_bytes())
        return FinishedShard(directory, Shard.parse(note["shard"]), note)
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{directory.shard_note} is damaged ({error}): run the shard again with --resume") from error


def check_shards(shards: Sequence[FinishedShard]) -> None:
    """Check that these are all shards of one run, each once.

    Raises:
        RunError: one is missing, there twice or of another run; the message names it.
    """
    first = shards[0]
    for other in shards[1:]:
        _check_alike(first, other)
    by_shard: dict[Shard, FinishedShard] = {}
    for found in shards:
        if found.shard in by_shard:
            twice = by_shard[found.shard].directory.root, found.directory.root
            raise RunError(f"shard {found.shard} is there twice: in {twice[0]} and in {twice[1]}")
        by_shard[found.shard] = found
    count = first.shard.count
    missing = [str(shard) for i in range(count) if (shard := Shard(count, i)) not in by_shard]
    if missing:
        raise RunError(f"of {count} shards {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")


def _check_alike(first: FinishedShard, other: FinishedShard) -> None:
    if first.shard.count != other.shard.count:
        raise RunError(f"{other} is one of {other.shard.count}, {first} one of {first.shard.count}")
    if first.note["dataset"] != other.note["dataset"]:
        raise RunError(f"{other} is of another data set than {first}: {_data(other)} against {_data(first)}")
    changed = sorted(key for key in first.settings if first.settings[key] != other.settings.get(key))
    if changed:
        raise RunError(f"{other} has another {', '.join(changed)} than {first}")
    for model in sorted(set(first.note["models"]) & set(other.note["models"])):
        served, served_there = first.note["models"][model], other.note["models"][model]
        if served != served_there:
            raise RunError(
                f"{other} was answered by other weights or settings of model {model!r} than {first}: "
                f"{served_there} against {served}"
            )
    if first.note["fingerprint"] != other.note["fingerprint"]:  # maps of which not one was found are in no note
        raise RunError(f"{other} was made by another version of the code than {first}, or of other maps")


def _data(shard: FinishedShard) -> str:
    data = shard.note["dataset"]
    return f"{data['name']}, digest {data['digest'][:16]}…, {data['images_run']} images"


def config_of(shards: Sequence[FinishedShard], out: Path) -> RunConfig:
    """The run that these are shards of, its results to be written to `out`."""
    first = shards[0]
    return parse_run_config({**first.note["config"], "out": str(out)}, str(first.directory.shard_note))
