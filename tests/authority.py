"""Certificates for tests, made on the spot: an authority, its servers, its clients."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import trustme

from wronglung.gateway.security.options import SecurityOptions

LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Authority:
    """Signs certificates. Files go to its folder; what is written there again is replaced."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def root(self) -> Path:
        """The authority's own certificate, for those who trust it."""
        return self._write("root.pem", self.ca.cert_pem.bytes())

    def issue(self, *names: str, **options: Any) -> tuple[bytes, bytes]:
        """Certificate chain and key as PEM."""
        leaf = self.ca.issue_cert(*names, **options)
        return b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes()

    def server(self, *names: str, mutual: bool = False, **options: Any) -> SecurityOptions:
        """Files of a server: for localhost and 127.0.0.1 unless names are given."""
        chain, key = self.issue(*(names or ("localhost", "127.0.0.1")), **options)
        return SecurityOptions(
            tls_cert=self._write("server.pem", chain),
            tls_key=self._write("server-key.pem", key),
            client_ca=self.root if mutual else None,
        )

    def client(self, name: str) -> tuple[Path, Path]:
        """Files of a client: certificate and key."""
        chain, key = self.issue(f"{name}.example", common_name=name)
        return self._write(f"{name}.pem", chain), self._write(f"{name}-key.pem", key)

    def credentials(self, client: tuple[Path, Path] | None = None) -> grpc.ChannelCredentials:
        """What a client needs that trusts this authority, with a certificate of its own or without."""
        certificate, key = (each.read_bytes() for each in client) if client else (None, None)
        return grpc.ssl_channel_credentials(self.root.read_bytes(), key, certificate)

    def _write(self, name: str, content: bytes) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_bytes(content)
        return path
