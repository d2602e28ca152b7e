"""``wronglung doctor``: is this machine fit to serve, and does its server answer?"""

import argparse
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from wronglung.address import address
from wronglung.client import AlignmentClient, Retry
from wronglung.commands.connection import add_access, add_wait, fail, models_when_ready, tls_of
from wronglung.errors import WronglungError
from wronglung.supervisor.ports import PortTaken, require_free

_EXAMPLES = """\
examples:
  wronglung doctor
  wronglung doctor --port 9000 --model-store /srv/models
  wronglung doctor --wait 120
"""
_SERVER_PACKAGES = ("torch", "transformers", "ts", "model_archiver", "grpc_health", "cv2", "psutil", "cryptography")
_DISK_MIB = 1024
_BLOCK = 1 << 20
_ASK_S = 5.0

Connect = Callable[..., AlignmentClient]


class Finding(NamedTuple):
    """What one check found."""

    state: Literal["ok", "fail", "skipped"]
    subject: str
    detail: str


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check that this machine can serve",
        description="Check packages, Java, ports, disk, memory and the digests of the models. Exit status 1 when "
        "something is wrong. Checks that need the server's packages are skipped where they are not installed. "
        "The port must be free, or a server with all its models ready must have it; with --wait, only the latter.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8500, help="port that the server shall have (default: %(default)s)")
    parser.add_argument("--model-store", type=Path, metavar="DIR", help="folder that holds the models")
    add_wait(parser)
    add_access(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, print a line each; returns the exit status."""
    try:
        connect = partial(AlignmentClient, tls=tls_of(args), token_file=args.token_file)
    except ValueError as error:
        return fail("doctor", error)
    findings = list(examine(args.host, args.port, args.model_store, args.wait, connect))
    for finding in findings:
        print(f"{finding.state:<8}{finding.subject:<22}{finding.detail}")
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def examine(
    host: str, port: int, store: Path | None, wait_s: float = 0.0, connect: Connect = AlignmentClient
) -> Iterator[Finding]:
    """Every check in turn; `connect` makes a client to the server of the port."""
    missing = [name for name in _SERVER_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding(
            "skipped", "server packages", f"lacks {', '.join(missing)}: to serve, pip install 'wronglung[serve]'"
        )
    else:
        yield Finding("ok", "server packages", "all installed")
        yield _attempt("java", _java)
        yield from _examine_store(store)
    yield _attempt(f"port {port}", lambda: _port(host, port, wait_s, connect))


def _examine_store(store: Path | None) -> Iterator[Finding]:
    try:
        directories = _models(store)
    except (OSError, RuntimeError, ValueError) as error:
        yield Finding("fail", "model store", str(error))
        return
    yield _attempt("disk", lambda: _disk(directories))
    yield _attempt("memory", lambda: _memory(directories))
    for directory in directories:
        yield _attempt(f"model {directory.name}", partial(_digest, directory))


def _attempt(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding("ok", subject, check())
    except (OSError, ValueError, RuntimeError, WronglungError) as error:
        return Finding("fail", subject, str(error))


def _java() -> str:
    from wronglung.supervisor.java import find_java, java_version

    java = find_java()
    return f"version {java_version(java)} at {java}"


def _port(host: str, port: int, wait_s: float, connect: Connect) -> str:
    if wait_s > 0:
        return _server(host, port, wait_s, connect)
    try:
        require_free(host, port, "--port")
    except PortTaken as taken:
        try:
            return _server(host, port, wait_s, connect)
        except WronglungError:
            raise taken from None
    return f"free on {host}"


def _server(host: str, port: int, wait_s: float, connect: Connect) -> str:
    """What the server there serves, once everything is ready."""
    with connect(address(host, port), timeout_s=_ASK_S, retry=Retry(attempts=1)) as client:
        models = models_when_ready(client, wait_s)
    names = ", ".join(f"{each.identity.name} {each.identity.version}" for each in models if not each.ready)
    if names:
        raise RuntimeError(
            f"a server answers, but these models are not ready: {names}. Wait (--wait), then see its log"
        )
    return f"a server answers on {host} with {len(models)} models, all ready"


def _disk(directories: Sequence[Path]) -> str:
    import tempfile

    from wronglung.footprint import footprint

    folder = tempfile.gettempdir()
    free, needed = (
        shutil.disk_usage(folder).free // _BLOCK,
        _DISK_MIB + sum(footprint(each).disk for each in directories),
    )
    if free < needed:
        raise OSError(f"{free} MiB free in {folder}, about {needed} are needed: free some, or set TMPDIR")
    return f"{free} MiB free in {folder}, about {needed} needed"


def _memory(directories: Sequence[Path]) -> str:
    """Compare what is free with an estimate from each model's files; see `wronglung.footprint`."""
    from wronglung.footprint import SERVER_MIB, footprint
    from wronglung.memory import available_memory

    needs = {each.name: footprint(each).memory for each in directories}
    free, needed = available_memory() // _BLOCK, SERVER_MIB + sum(needs.values())
    parts = ", ".join(f"{name} {mib}" for name, mib in needs.items())
    detail = f"{free} MiB available, about {needed} needed: the server {SERVER_MIB}, {parts}"
    if free < needed:
        raise OSError(f"{detail}. Serve fewer models (--models), or give less room to caches (model-config.yaml)")
    return detail


def _models(store: Path | None) -> list[Path]:
    from wronglung.archives import models_in
    from wronglung.home import project_home

    folder = store or project_home() / "model_store"
    return [folder / name for name in models_in(folder)]


def _digest(directory: Path) -> str:
    """Compare the weights with the digest that the model's config records."""
    recorded = json.loads((directory / "config.json").read_text("utf-8")).get("weights_sha256")
    with (directory / "weights.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != recorded:
        raise ValueError(f"the weights are not those that config.json records: restore both files of {directory}")
    return f"weights {found[:12]} as recorded"
