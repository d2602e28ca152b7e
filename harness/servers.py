"""Which server is asked, and how each side proves who it is. Secrets lie in files, which a run file names by path."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, model_validator

from harness.settings import PathField, Settings
from wronglung.client import Tls


class TlsConfig(Settings):
    """An encrypted connection; files are PEM."""

    root: str = "public"
    """Authorities by whom the server's certificate may be signed: a file, or `public`."""
    certificate: PathField | None = None
    """The client's own certificate, where the server asks for one."""
    key: PathField | None = None
    server_name: str = ""
    """The name that the server's certificate must have, if not that of the target."""

    @model_validator(mode="after")
    def _is_whole(self) -> "TlsConfig":
        self.client_side()
        return self

    def client_side(self) -> Tls:
        """As the client takes it."""
        return Tls(self.root, self.certificate, self.key, self.server_name)


@dataclass(frozen=True, slots=True)
class Server:
    """One server. Two that are equal are asked by one client."""

    target: str
    """host:port; empty: $WRONGLUNG_TARGET, else the client's default."""
    tls: Tls | None
    token_file: Path | None


class AccessSettings(Settings):
    """How to get in to a server. No manifest repeats it: the results do not depend on it."""

    tls: TlsConfig | None = Field(default=None, exclude=True)
    """Use TLS; without it $WRONGLUNG_TLS_ROOT and so on, if the target is the environment's."""
    token_file: PathField | None = Field(default=None, exclude=True)
    """File of the token to show; without it $WRONGLUNG_TOKEN_FILE, if the target is the environment's."""

    def server_at(self, target: str) -> Server:
        """The server at this address."""
        return Server(target, self.tls.client_side() if self.tls is not None else None, self.token_file)
