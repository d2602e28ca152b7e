"""docs/limits.md says what wronglung/limits.py and the gateway's constants say."""

import ast
import importlib
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from tests import repository
from tests.gateway_fakes import MODELS
from wronglung.errors import Overloaded, leaf_errors
from wronglung.gateway import server
from wronglung.gateway.intake import Terms
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.service import Most
from wronglung.gateway.shares import Places
from wronglung.limits import LIMITS
from wronglung.served import MODELS_FILE, write_models

PAGE = repository.read(Path("docs/limits.md"))
OPERATIONS = repository.read(Path("docs/operations.md"))
GATEWAY = Path("wronglung/gateway")
UNITS = {"": 1, "s": 1, "KiB": 1024, "MiB": 1024 * 1024}
OF_A_SERVER = re.findall(r"^\| `([\w.]+\.\w+)` \| ([\d,.]+) ?(s|KiB|MiB|) \|", PAGE, re.MULTILINE)


def test_the_page_lists_every_limit_with_its_value() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE, re.MULTILINE)
    listed = {name: int(value.replace(",", "")) for name, value in rows}
    assert listed == {**asdict(LIMITS), "message_bytes": LIMITS.message_bytes}


def test_every_error_named_on_the_page_exists() -> None:
    assert set(re.findall(r"ERROR_CODE_\w+", PAGE)) <= set(leaf_errors())


def constant(name: str) -> Any:
    """What `name` stands for, as ``module._CONSTANT`` or ``module.Class.field`` (its default) of the gateway."""
    module, rest = re.fullmatch(r"([a-z.]+)\.(_?[A-Z].*)", name).groups()  # type: ignore[union-attr]
    found: Any = importlib.import_module(f"wronglung.gateway.{module}")
    for part in rest.split("."):
        found = getattr(found() if isinstance(found, type) else found, part)
    return found / 1000 if name.endswith("_MS") else found


@pytest.mark.parametrize(("name", "number", "unit"), OF_A_SERVER, ids=[name for name, _, _ in OF_A_SERVER])
def test_a_limit_of_a_server_is_what_the_code_says(name: str, number: str, unit: str) -> None:
    assert float(number.replace(",", "")) * UNITS[unit] == constant(name)


def constants_that_bound() -> set[str]:
    """Constants of the gateway's modules that are called the most or the longest of something."""
    found = set()
    for path in repository.modules("wronglung"):
        if path.is_relative_to(GATEWAY):
            module = ".".join(path.relative_to(GATEWAY).with_suffix("").parts)
            assigned = [node for node in ast.parse(repository.read(path)).body if isinstance(node, ast.Assign)]
            names = [target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)]
            found |= {f"{module}.{name}" for name in names if re.match(r"_(MOST|LONGEST|LARGEST|UNREAD)", name)}
    return found


def test_no_limit_of_a_server_is_missing() -> None:
    listed = {name for name, _, _ in OF_A_SERVER}
    assert len(listed) == len(OF_A_SERVER)
    of_classes = {f"service.Most.{each.name}" for each in fields(Most) if each.name != "messages"}
    of_classes |= {f"intake.Terms.{each.name}" for each in fields(Terms)}
    assert (constants_that_bound() | of_classes) - listed == set()


def most_of_one_caller(places: int) -> int:
    """How many of so many places a caller gets who is alone."""
    all_of_them = Places(places, lambda: Overloaded("full"))
    with ExitStack() as held, suppress(Overloaded):
        while True:
            held.enter_context(all_of_them.one("caller"))
            most = all_of_them.taken
    return most


def test_the_numbers_in_the_words_of_operations_are_these() -> None:
    most = Most()
    calls, streams, watches = (most_of_one_caller(n) for n in (most.calls, most.streams, server._WATCHES))
    full = f"{most.calls} calls or {most.streams} streams are open ({calls} and {streams} of one caller)"
    assert f"{full}, or {most.messages.held_bytes // UNITS['MiB']} MiB of messages are held" in OPERATIONS
    assert f"one caller {calls}, {streams} and {watches} of them" in OPERATIONS
    assert f"under load up to {most.messages.held_bytes // UNITS['MiB']} MiB of\nmessages" in OPERATIONS


async def test_the_page_of_errors_says_how_many_calls_grpc_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_models(MODELS, tmp_path)
    told = dict[str, Any]()
    make = server.grpc.aio.server
    monkeypatch.setattr(server.grpc.aio, "server", lambda **options: (told.update(options), make(**options))[1])
    server.Gateway(server.Settings(tmp_path / MODELS_FILE, "127.0.0.1:1"), on_health=lambda _: None, metrics=Metrics())
    page = repository.read(Path("docs/errors.md"))
    assert f"more than {told['maximum_concurrent_rpcs']} open calls" in page
