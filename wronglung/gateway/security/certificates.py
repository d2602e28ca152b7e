"""The server's certificate with its key, and the authorities whose clients are let in: checked before gRPC sees them.

gRPC takes whatever it is given and then fails every handshake without a word to the server's log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a TLS handshake needs, as PEM."""

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    """Authorities of the clients' certificates; None: clients are not asked for one."""
    expires: datetime
    """When the first certificate of the chain expires."""

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """As gRPC wants it."""
        return grpc.ssl_server_certificate_configuration([(self.key, self.chain)], root_certificates=self.client_ca)


def make_certificates(chain: bytes, key: bytes, client_ca: bytes | None = None) -> Certificates:
    """Check the contents of the files.

    Raises:
        ValueError: they are no PEM, do not belong together, or are not valid today; the message says which file.
    """
    certificates = _certificates(chain, "the certificate")
    server = certificates[0]
    if _public(server.public_key()) != _public(_private_key(key).public_key()):
        raise ValueError("the key is not the certificate's: both files must be of one pair, the server's own first")
    _check_valid(server, "the certificate")
    if client_ca is not None:
        for authority in _certificates(client_ca, "the client CA"):
            _check_valid(authority, "the client CA")
    return Certificates(chain, key, client_ca, server.not_valid_after_utc)


def _certificates(pem: bytes, what: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ValueError(f"{what} is no PEM file of certificates, or it is damaged") from error


def _private_key(pem: bytes) -> serialization.SSHPrivateKeyTypes:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ValueError("the key is encrypted: store it without a passphrase, nobody is there to type it") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the key is no PEM file of a private key, or it is damaged") from error
    return key  # type: ignore[return-value]


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def _check_valid(certificate: x509.Certificate, what: str) -> None:
    now = datetime.now(UTC)
    if now >= certificate.not_valid_after_utc:
        raise ValueError(f"{what} expired at {certificate.not_valid_after_utc.isoformat()}: renew it")
    if now < certificate.not_valid_before_utc:
        raise ValueError(f"{what} is not valid before {certificate.not_valid_before_utc.isoformat()}")
