"""What a server may be told of security, by flags or by the environment: paths of files, never a secret itself."""

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from wronglung.address import is_loopback
from wronglung.arguments import port
from wronglung.gateway.security.named import variable_of

_HELP = {
    "tls_cert": "the server's certificate, PEM, intermediate ones after it",
    "tls_key": "its private key, PEM, without passphrase",
    "client_ca": "let in only clients with a certificate of these authorities, PEM",
    "tokens": "let in only callers with a token that this file knows; `wronglung token` makes its lines",
}


@dataclass(frozen=True, slots=True)
class SecurityOptions:
    """What protects the port. Every file is read again when it changes."""

    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    tokens: Path | None = None
    insecure: bool = False
    """Listen beyond this machine though callers are not asked who they are, or all that they send can be read."""
    probe_host: str = "127.0.0.1"
    probe_port: int = 0
    """Plaintext health for Kubernetes' probes; 0: none."""

    def check(self, host: str) -> None:
        """Hold the options against each other and against the address to listen on.

        Raises:
            ValueError: they leave a gap; the message names the flags.
        """
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key belong together: give both or neither")
        if self.client_ca is not None and self.tls_cert is None:
            raise ValueError("--client-ca needs TLS: give --tls-cert and --tls-key as well")
        if is_loopback(host):
            return
        if self.tokens is not None and self.tls_cert is None:
            raise ValueError(
                f"on --host {host} tokens would travel in the clear: give --tls-cert and --tls-key, or listen on "
                "loopback"
            )
        if not (self.insecure or (self.tls_cert and (self.tokens or self.client_ca))):
            raise ValueError(
                f"on --host {host} anybody could call: give --tls-cert and --tls-key, and --tokens or --client-ca; or "
                "say --insecure if a closed network or a proxy protects this port"
            )

    def flags(self) -> list[str]:
        """The command line that says the same."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "insecure"}
        given = [f"--{name.replace('_', '-')}={value}" for name, value in values.items() if value is not None]
        return [*given, "--insecure"] if self.insecure else given


UNPROTECTED = SecurityOptions()
"""Plaintext, for everybody on this machine."""


def add_security(parser: argparse.ArgumentParser, environ: Mapping[str, str] = os.environ) -> None:
    """Add the flags, with $WRONGLUNG_TLS_CERT and so on as defaults of those that name a file."""
    group = parser.add_argument_group("security", "Paths may come from the environment. Files are reloaded on change.")
    for name, text in _HELP.items():
        option = f"--{name.replace('_', '-')}"
        variable = variable_of(option)
        group.add_argument(
            option,
            type=Path,
            metavar="FILE",
            default=environ.get(variable) or None,
            help=f"{text} (default: ${variable})",
        )
    group.add_argument(
        "--insecure", action="store_true", help="listen beyond this machine without TLS, or without asking who calls"
    )
    group.add_argument("--probe-host", default="127.0.0.1", help="address of --probe-port (default: %(default)s)")
    group.add_argument(
        "--probe-port",
        type=port,
        default=0,
        help="plaintext health of the whole, for probes (default: none)",
    )


def take_security(args: argparse.Namespace) -> SecurityOptions:
    """What was given for the flags of `add_security`; they are removed from `args`."""
    return SecurityOptions(**dict(_taken(args)))


def _taken(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for field in fields(SecurityOptions):
        yield field.name, getattr(args, field.name)
        delattr(args, field.name)
