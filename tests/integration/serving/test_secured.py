"""A real server with TLS and tokens, from the outside: the commands, files that change, and what its logs hold."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from tests import repository
from tests.authority import Authority
from tests.gateway_fakes import png
from tests.serving import Instance, random_store, serving
from wronglung.client import AlignItem, AlignmentClient, Retry, Tls
from wronglung.errors import ModelUnavailable, ModelUnknown, Unauthenticated
from wronglung.gateway.security.options import SecurityOptions

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux")]

SENTENCE = "Mrs Zywiec has a quokka-shaped opacity."
MARKS = ("Zywiec", "quokka")
READER, WARD = "reader-" + "r" * 36, "ward-" + "w" * 36
MODELS = ("encoder", "encoder-optout")
ONCE = Retry(attempts=1)


@dataclass(frozen=True)
class Secured:
    """The server and its files."""

    instance: Instance
    authority: Authority
    security: SecurityOptions
    folder: Path

    def client(self, token: str = READER) -> AlignmentClient:
        return AlignmentClient(self.instance.target, tls=Tls(self.authority.root), token=token, retry=ONCE)

    def environment(self, token: str = READER) -> dict[str, str]:
        """What a command needs to call it; nothing of it is on the command line."""
        file = self.folder / f"{token[:4]}.token"
        file.write_text(token)
        names = {"TARGET": self.instance.target, "TLS_ROOT": str(self.authority.root), "TOKEN_FILE": str(file)}
        path = os.pathsep.join(filter(None, [str(repository.ROOT), os.environ.get("PYTHONPATH")]))
        return os.environ | {f"WRONGLUNG_{name}": value for name, value in names.items()} | {"PYTHONPATH": path}

    def wait_for(self, words: str, times: int = 1) -> None:
        """Wait until the log says something for the given time."""
        until = time.monotonic() + 20
        while self.instance.say().count(words) < times:
            assert time.monotonic() < until, self.instance.say()
            time.sleep(0.05)


def line(name: str, token: str, models: str = "") -> str:
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()} {models}\n"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder / "ours")
    tokens = folder / "tokens.txt"
    tokens.write_text(line("reader", READER) + line("ward", WARD, "encoder"))
    security = authority.server()
    files = [f"--tls-cert={security.tls_cert}", f"--tls-key={security.tls_key}", f"--tokens={tokens}"]
    with serving(random_store(folder / "store"), MODELS, "--host=0.0.0.0", *files) as instance:
        yield Secured(instance, authority, SecurityOptions(security.tls_cert, security.tls_key, None, tokens), folder)


def command(secured: Secured, *words: str, token: str = READER) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *words],
        env=secured.environment(token),
        cwd=secured.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_take_tls_and_token_from_the_environment(secured: Secured) -> None:
    image = secured.folder / "chest.png"
    image.write_bytes(png(64, 64))
    listed = command(secured, "wronglung.cli", "models", token=WARD)
    assert (listed.returncode, listed.stdout.split()[0], listed.stdout.count("\n")) == (0, "encoder", 1), listed.stderr
    aligned = command(secured, "wronglung.cli", "align", str(image), SENTENCE)
    assert aligned.returncode == 0, aligned.stderr
    refused = command(secured, "wronglung.cli", "models", token="not-a-token-" + "x" * 30)
    assert refused.returncode == 1
    assert "the token is not known here" in refused.stderr


def test_a_load_is_put_on_it(secured: Secured) -> None:
    plan = ["--callers", "1", "--step-seconds", "1", "--out", str(secured.folder / "load")]
    done = command(secured, "harness.load", *plan)
    assert done.returncode == 0, done.stdout + done.stderr


def test_plaintext_and_strangers_are_refused(secured: Secured) -> None:
    with (
        grpc.insecure_channel(secured.instance.target) as channel,
        AlignmentClient(channel=channel, token=READER, retry=ONCE) as client,
        pytest.raises(ModelUnavailable),
    ):
        client.models()
    with secured.client(token=READER[:-1]) as client, pytest.raises(Unauthenticated):
        client.align(png(), [SENTENCE])


def test_a_caller_without_rights_learns_nothing_of_models(secured: Secured) -> None:
    with secured.client(WARD) as client:
        client.align(png(), [SENTENCE])
        answers = set()
        for model in ("encoder-optout", "no-such-model"):
            with pytest.raises(ModelUnknown) as caught:
                client.align(png(), [SENTENCE], model=model)
            answers.add(caught.value.message)
        assert len(answers) == 1


def test_certificates_and_tokens_change_while_a_stream_is_open(secured: Secured, tmp_path: Path) -> None:
    assert secured.security.tls_cert is not None
    assert secured.security.tls_key is not None
    assert secured.security.tokens is not None
    new = Authority(tmp_path / "new")
    chain, key = new.issue("127.0.0.1")

    def items() -> Iterator[AlignItem]:
        yield AlignItem("before", png(), [SENTENCE])
        secured.security.tls_cert.write_bytes(chain)  # type: ignore[union-attr]
        secured.wait_for("not reloaded")
        secured.security.tls_key.write_bytes(key)  # type: ignore[union-attr]
        secured.wait_for('"reloaded"')
        yield AlignItem("other certificates", png(), [SENTENCE])
        secured.security.tokens.write_text(line("ward", WARD))  # type: ignore[union-attr]
        secured.wait_for('"reloaded"', times=2)
        yield AlignItem("token withdrawn", png(), [SENTENCE])

    with secured.client() as client:
        answers = dict(client.stream(items(), window=1))
    assert isinstance(answers.pop("token withdrawn"), Unauthenticated)
    assert sorted(name for name, answer in answers.items() if not isinstance(answer, Exception)) == [
        "before",
        "other certificates",
    ]
    with secured.client(WARD) as client, pytest.raises(ModelUnavailable, match="no secure connection"):
        client.models()
    with AlignmentClient(secured.instance.target, tls=Tls(new.root), token=WARD, retry=ONCE) as client:
        assert len(client.models()) == 2


def test_no_log_holds_a_token_a_key_or_what_was_sent(secured: Secured) -> None:
    """Over everything that was done in this module, in the order of the file."""
    said = secured.instance.say()
    folder = re.search(r"logs in (\S+)", said)
    assert folder
    logs = {path.name: path.read_text(errors="replace") for path in Path(folder[1]).iterdir() if path.is_file()}
    assert '"caller": "reader"' in said
    assert '"caller": "ward"' in said
    for name, text in {"stderr": said, **logs}.items():
        for secret in (READER, WARD, READER[:-1], "PRIVATE KEY", *MARKS):
            assert secret not in text, name
    assert secured.instance.process.poll() is None
