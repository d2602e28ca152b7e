"""Which options go together, and how they are given."""

import argparse
from pathlib import Path

import pytest

from wronglung.gateway.security.options import UNPROTECTED, SecurityOptions, add_security, take_security

TLS = {"tls_cert": Path("cert"), "tls_key": Path("key")}
TOKENS = {"tokens": Path("tokens")}
CA = {"client_ca": Path("ca")}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
@pytest.mark.parametrize("options", [{}, TOKENS, TLS, TLS | TOKENS, TLS | CA])
def test_on_this_machine_nothing_is_asked_for(host: str, options: dict[str, Path]) -> None:
    SecurityOptions(**options).check(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "server.example"])
@pytest.mark.parametrize("options", [{}, TLS])
def test_beyond_it_callers_are_known_and_unread_or_it_is_said_to_be_insecure(
    host: str, options: dict[str, Path]
) -> None:
    with pytest.raises(ValueError, match="--insecure"):
        SecurityOptions(**options).check(host)
    SecurityOptions(**options, insecure=True).check(host)
    for protection in (TOKENS, CA, TOKENS | CA):
        SecurityOptions(**(TLS | protection)).check(host)


def test_no_flag_lets_tokens_travel_in_the_clear() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        SecurityOptions(**TOKENS, insecure=True).check("0.0.0.0")


@pytest.mark.parametrize("options", [{"tls_cert": Path("a")}, {"tls_key": Path("a")}, CA])
def test_halves_are_refused(options: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="--tls-cert and --tls-key"):
        SecurityOptions(**options).check("127.0.0.1")


def parse(arguments: list[str], environ: dict[str, str]) -> SecurityOptions:
    parser = argparse.ArgumentParser()
    add_security(parser, environ)
    return take_security(parser.parse_args(arguments))


def test_paths_come_from_flags_else_from_the_environment() -> None:
    environ = {"WRONGLUNG_TLS_CERT": "env.pem", "WRONGLUNG_TOKENS": "env.txt", "WRONGLUNG_CLIENT_CA": ""}
    options = parse(["--tokens=flag.txt"], environ)
    assert options == SecurityOptions(tls_cert=Path("env.pem"), tokens=Path("flag.txt"))
    assert parse([], {}) == UNPROTECTED


@pytest.mark.parametrize("text", ["-1", "65536", "eighty"])
def test_a_port_that_is_none_is_named_with_its_flag(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--probe-port={text}"], {})
    assert "argument --probe-port: " in capsys.readouterr().err


def test_the_gateway_is_told_what_serve_was_told() -> None:
    options = SecurityOptions(**TLS, **TOKENS, **CA, insecure=True, probe_host="::", probe_port=8503)
    assert parse(options.flags(), {}) == options
    assert parse(UNPROTECTED.flags(), {}) == UNPROTECTED
