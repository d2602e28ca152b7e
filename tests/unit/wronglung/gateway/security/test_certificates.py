"""What gRPC would take and then fail by is refused with a word."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.authority import LONG_AGO, Authority
from wronglung.gateway.security.certificates import make_certificates


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_pair_is_taken_with_the_day_that_it_expires(authority: Authority) -> None:
    chain, key = authority.issue("localhost")
    made = make_certificates(chain, key, authority.root.read_bytes())
    assert (made.chain, made.key) == (chain, key)
    assert made.expires.year == 3000
    assert made.configuration() is not None


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    chain, _ = authority.issue("localhost")
    _, other_key = authority.issue("localhost")
    with pytest.raises(ValueError, match="one pair"):
        make_certificates(chain, other_key)


@pytest.mark.parametrize("spoil", [lambda pem: b"", lambda pem: pem[: len(pem) // 2], lambda pem: b"nonsense"])
def test_damaged_files_are_named(authority: Authority, spoil: object) -> None:
    chain, key = authority.issue("localhost")
    with pytest.raises(ValueError, match="the certificate is no PEM"):
        make_certificates(spoil(chain), key)  # type: ignore[operator]
    with pytest.raises(ValueError, match="the key is no PEM"):
        make_certificates(chain, spoil(key))  # type: ignore[operator]
    with pytest.raises(ValueError, match="the client CA is no PEM"):
        make_certificates(chain, key, spoil(authority.root.read_bytes()))  # type: ignore[operator]


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_passphrase(authority: Authority) -> None:
    chain, key = authority.issue("localhost")
    encrypted = serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    with pytest.raises(ValueError, match="without a passphrase"):
        make_certificates(chain, encrypted)


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    with pytest.raises(ValueError, match="the certificate expired at 2001"):
        make_certificates(*authority.issue("localhost", not_after=LONG_AGO))


def test_a_key_shows_in_no_representation(authority: Authority) -> None:
    chain, key = authority.issue("localhost")
    assert "PRIVATE" not in repr(make_certificates(chain, key))
