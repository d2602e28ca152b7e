"""How far each model has got while a server starts, from what its workers print."""

import re
from collections.abc import Sequence

STAGE = "WRONGLUNG STAGE"
"""The handler prints this before the name of a step that may take a while."""

_WORKER_LINE = re.compile(r"^\S+ W-\d+-(?P<archive>.+)-std(?:out|err) - (?P<text>.*)$")
_WAITING = "waits for a worker"  # Java starts, the archive is unpacked
_STARTING = "starts a worker"


def stages(log: str, models: Sequence[str]) -> dict[str, str]:
    """What each model is at, in words.

    Args:
        log: what the workers have printed so far.
        models: the models that are being started.
    """
    return {model: _stage(said) for model, said in said_by_model(log, models).items()}


def said_by_model(log: str, models: Sequence[str]) -> dict[str, list[str]]:
    """The lines that the workers of each model have printed, without what TorchServe writes before them."""
    said: dict[str, list[str]] = {model: [] for model in models}
    for line in log.splitlines():
        if (match := _WORKER_LINE.match(line)) and (model := _model(match["archive"], models)) is not None:
            said[model].append(match["text"])
    return said


def _stage(said: Sequence[str]) -> str:
    named = [line.partition(STAGE)[2].lstrip(": ") for line in said if STAGE in line]
    return named[-1] if named else _STARTING if said else _WAITING


def _model(archive: str, models: Sequence[str]) -> str | None:
    """The model whose worker this is: TorchServe writes `<name>_<version>`."""
    return max((label for label in models if f"{archive}_".startswith(_archive(label))), key=len, default=None)


def _archive(label: str) -> str:
    """How the archive of a label begins there."""
    return f"{label.replace('@', '_')}_"
