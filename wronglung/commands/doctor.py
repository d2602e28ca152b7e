"""``wronglung doctor``: is this machine fit to serve, and does its server answer?"""

import argparse
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from wronglung.arguments import port
from wronglung.client import AlignmentClient
from wronglung.commands.connection import add_access, add_wait, fail, tls_of
from wronglung.commands.places import Connect, Place, gateway_finding, page_finding, probe_finding
from wronglung.commands.told import access_finding, versions_finding
from wronglung.errors import WronglungError
from wronglung.gateway.security.options import SecurityOptions, add_security, take_security

_EXAMPLES = """\
examples:
  wronglung doctor
  wronglung doctor --models encoder encoder-optout
  wronglung doctor --port 9000 --metrics-port 9001 --model-store /srv/models
  wronglung doctor --host 0.0.0.0 --tls-cert server.pem --tls-key server-key.pem --tokens tokens.txt
  wronglung doctor --wait 120
"""
_SERVER_PACKAGES = ("torch", "transformers", "ts", "model_archiver", "grpc_health", "cv2", "psutil", "cryptography")
_DISK_MIB = 1024
_BLOCK = 1 << 20


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
        description="Check packages, Java, ports, disk, memory, the models' digests, and the files that say who is let "
        "in and which versions answer. Exit status 1 when something is wrong. Checks that need the server's "
        "packages are skipped where they are not installed. Give the options that `wronglung serve` is to be given: "
        "what it serves by them is judged. Each port must be free, or a server with all its models ready must have it; "
        "with --wait, --port only the latter.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--models", nargs="+", metavar="NAME", help="models of the store that shall be served (default: all)")
    add("--model-store", type=Path, metavar="DIR", help="folder that holds the models (default: model_store)")
    add("--host", default="127.0.0.1", help="default: %(default)s")
    add("--port", type=port, default=8500, help="port that the server shall have (default: %(default)s)")
    add("--metrics-host", default="127.0.0.1", help="address of the page of metrics (default: %(default)s)")
    add("--metrics-port", type=port, default=0, help="port of the page of metrics (default: any free one)")
    add("--default-versions", type=Path, metavar="FILE", help="as serve shall be given")
    add_wait(parser)
    add_access(parser)
    add_security(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything, print a line each; returns the exit status."""
    try:
        connect = partial(AlignmentClient, tls=tls_of(args), token_file=args.token_file)
    except ValueError as error:
        return fail("doctor", error)
    security = take_security(args)
    extra = {
        Place("--metrics-port", args.metrics_host, args.metrics_port): page_finding,
        Place("--probe-port", security.probe_host, security.probe_port): probe_finding,
    }
    findings = list(examine(args.host, args.port, args.model_store, args.wait, connect, args.models, extra))
    findings += _examine_told(security, args.host, args.default_versions, args.model_store, args.models)
    print(as_table(findings))
    return 1 if any(finding.state == "fail" for finding in findings) else 0


def as_table(findings: Sequence[Finding]) -> str:
    """A line each, in columns as wide as they need to be."""
    width = max(len(finding.subject) for finding in findings)
    return "\n".join(f"{each.state:<8}{each.subject:<{width}}  {each.detail}" for each in findings)


def examine(
    host: str,
    port: int,
    store: Path | None,
    wait_s: float = 0.0,
    connect: Connect = AlignmentClient,
    models: Sequence[str] | None = None,
    extra: Mapping[Place, Callable[[Place], str]] = MappingProxyType({}),
) -> Iterator[Finding]:
    """Every check in turn.

    Args:
        host: what the server listens on, or shall.
        port: likewise.
        store: the model store; None: the checkout's.
        wait_s: how long to wait for a server there.
        connect: makes a client to it.
        models: names of the models that shall be served; None: all of the store.
        extra: further ports, and what looks at each; those with the number 0 are passed over.
    """
    if missing := _missing():
        yield Finding(
            "skipped", "server packages", f"lacks {', '.join(missing)}: to serve, pip install 'wronglung[serve]'"
        )
    else:
        yield Finding("ok", "server packages", "all installed")
        yield _attempt("java", _java)
        yield from _examine_store(store, models)
    yield _attempt(f"port {port}", lambda: gateway_finding(Place("--port", host, port), wait_s, connect))
    for place, look in extra.items():
        if place.port:
            yield _attempt(f"{place.flag.removeprefix('--').replace('-', ' ')} {place.port}", partial(look, place))


def _missing() -> list[str]:
    """Packages that a server needs and that are not installed."""
    return [name for name in _SERVER_PACKAGES if importlib.util.find_spec(name) is None]


def _examine_told(
    security: SecurityOptions, host: str, versions: Path | None, store: Path | None, models: Sequence[str] | None
) -> Iterator[Finding]:
    """The files that a server would be told of, where one can be."""
    if _missing():
        return
    yield _attempt("who is let in", lambda: access_finding(security, host))
    if versions is not None:
        yield _attempt("default versions", lambda: versions_finding(versions, _models(store, models)))


def _examine_store(store: Path | None, models: Sequence[str] | None) -> Iterator[Finding]:
    try:
        directories = _models(store, models)
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


def _models(store: Path | None, names: Sequence[str] | None) -> list[Path]:
    """The folders of what `wronglung serve` would serve, and that it would."""
    from wronglung.archives import describe_models, models_in
    from wronglung.home import project_home

    folder = store or project_home() / "model_store"
    if names is None:
        return [folder / name for name in models_in(folder)]
    describe_models(names, folder)
    return [folder / name for name in names]


def _digest(directory: Path) -> str:
    """Compare the weights with the digest that the model's config records."""
    recorded = json.loads((directory / "config.json").read_text("utf-8")).get("weights_sha256")
    with (directory / "weights.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != recorded:
        raise ValueError(f"the weights are not those that config.json records: restore both files of {directory}")
    return f"weights {found[:12]} as recorded"
