"""How a client gets to a server: where it is, how each side proves who it is. Secrets lie in files, named by path.

What is not said comes from the environment: WRONGLUNG_TARGET, WRONGLUNG_TLS_ROOT, WRONGLUNG_CLIENT_CERT,
WRONGLUNG_CLIENT_KEY, WRONGLUNG_SERVER_NAME, WRONGLUNG_TOKEN_FILE. These describe one server, so a client of another
target takes none of them: a token must not reach whoever happens to be asked.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc

from wronglung.address import is_on_this_machine

DEFAULT_TARGET = "127.0.0.1:8500"
PUBLIC = "public"
"""In the place of a file of authorities: the public ones, as they come with gRPC."""

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """An encrypted connection. Files are PEM and are read when the client is made.

    Raises:
        ValueError: a certificate without its key, or the other way round.
    """

    root: str | Path = PUBLIC
    """Authorities by whom the server's certificate may be signed: a file, or "public"."""
    certificate: str | Path | None = None
    """The client's own certificate, where the server asks for one."""
    key: str | Path | None = None
    server_name: str = ""
    """The name that the server's certificate must have, if it is not that of the target, as behind a forwarded port."""

    def __post_init__(self) -> None:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("a client's certificate and its key belong together: name both files or neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """As gRPC wants it.

        Raises:
            OSError: a file cannot be read.
            ValueError: one is no PEM file; gRPC would only say that no server answers.
        """
        root, key, certificate = (
            None if path is None or path == PUBLIC else _pem(Path(path))
            for path in (self.root, self.key, self.certificate)
        )
        return grpc.ssl_channel_credentials(root, key, certificate)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Tls | None":
        """What the environment says of TLS; None when it says nothing."""
        names = {"root": "TLS_ROOT", "certificate": "CLIENT_CERT", "key": "CLIENT_KEY", "server_name": "SERVER_NAME"}
        given = {name: value for name, key in names.items() if (value := environ.get(f"WRONGLUNG_{key}"))}
        return cls(**given) if given else None


@dataclass(frozen=True, slots=True)
class Access:
    """What a client was told, by arguments or by the environment.

    Raises:
        ValueError: two of the parts say the same thing differently.
    """

    target: str | None = None
    tls: Tls | None = None
    credentials: grpc.ChannelCredentials | None = field(default=None, repr=False)
    """Instead of `tls`."""
    token_file: str | Path | None = None
    """A file with a bearer token; it is read for every call, so that a renewed one is taken."""
    token: str | None = field(default=None, repr=False)
    """Instead of `token_file`."""

    def __post_init__(self) -> None:
        if self.tls is not None and self.credentials is not None:
            raise ValueError("give tls or credentials, not both")
        if self.token_file is not None and self.token is not None:
            raise ValueError("give token_file or token, not both")

    def resolved(self, environ: Mapping[str, str] = os.environ) -> "Access":
        """With what the environment adds, and a target."""
        usual = environ.get("WRONGLUNG_TARGET") or DEFAULT_TARGET
        if self.target and self.target != usual:
            return self
        tls = self.tls if self.tls or self.credentials else Tls.from_environment(environ)
        token_file = self.token_file if self.token_file or self.token else environ.get("WRONGLUNG_TOKEN_FILE") or None
        return replace(self, target=usual, tls=tls, token_file=token_file)

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """For the channel; None: plaintext.

        Raises:
            OSError: a file cannot be read.
            ValueError: one is no PEM file, or a token would leave this machine in the clear.
        """
        credentials = self.tls.credentials() if self.tls else self.credentials
        if credentials is None and (self.token or self.token_file) and not is_on_this_machine(self.target or ""):
            raise ValueError(f"the token would travel to {self.target} in the clear: use TLS")
        return credentials

    @property
    def server_name(self) -> str:
        """The name to check the server's certificate for; empty: the target's."""
        return self.tls.server_name if self.tls else ""

    def metadata(self) -> Callable[[], Metadata]:
        """Makes the metadata of each call."""
        if self.token_file is not None:
            path = Path(self.token_file)
            return lambda: _bearing(path.read_text(encoding="utf-8").strip(), str(path))
        fixed = _bearing(self.token, "the token") if self.token else ()
        return lambda: fixed


def _pem(path: Path) -> bytes:
    content = path.read_bytes()
    if b"-----BEGIN " not in content:
        raise ValueError(f"{path} is no PEM file of a certificate or key: TLS needs one")
    return content


def _bearing(token: str, where: str) -> Metadata:
    if not token.isascii() or len(token.split()) != 1:
        raise ValueError(f"{where} holds no token: it must be one word of plain characters")
    return (("authorization", f"Bearer {token}"),)
