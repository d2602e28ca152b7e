"""How a client gets to a server, and what it never gives away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.authority import Authority
from tests.client_fakes import FAST, Service, answer, items, serving
from tests.gateway_fakes import FakeTorchServe, Job, RunningGateway, png, running_gateway
from wronglung import errors
from wronglung.client import AlignItem, AlignmentClient, AsyncAlignmentClient, Retry, Tls
from wronglung.client.access import Access
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import error_to_pb

ENVIRONMENT = {
    "WRONGLUNG_TARGET": "server.example:8500",
    "WRONGLUNG_TLS_ROOT": "ca.pem",
    "WRONGLUNG_TOKEN_FILE": "reader.token",
}
TLS = Tls(root="ca.pem")


@pytest.mark.parametrize("target", [None, "", "server.example:8500"])
def test_the_environment_describes_its_own_server(target: str | None) -> None:
    access = Access(target).resolved(ENVIRONMENT)
    assert (access.target, access.tls, access.token_file) == ("server.example:8500", TLS, "reader.token")


def test_another_server_gets_nothing_of_it() -> None:
    access = Access("other.example:8500").resolved(ENVIRONMENT)
    assert (access.tls, access.token_file) == (None, None)
    assert access.metadata()() == ()


def test_what_is_given_comes_before_the_environment() -> None:
    given = Access(tls=Tls(root="mine.pem"), token="mine").resolved(ENVIRONMENT)
    assert given.tls == Tls(root="mine.pem")
    assert given.token_file is None
    assert given.metadata()() == (("authorization", "Bearer mine"),)


def test_every_part_of_tls_can_come_from_the_environment() -> None:
    names = {"CLIENT_CERT": "c", "CLIENT_KEY": "k", "SERVER_NAME": "n", "TLS_ROOT": "public"}
    tls = Tls.from_environment({f"WRONGLUNG_{name}": value for name, value in names.items()})
    assert tls == Tls("public", "c", "k", "n")
    assert Tls.from_environment({}) is None


@pytest.mark.parametrize("target", ["server.example:8500", "127.evil.example:1", "ipv4:127.0.0.1:1,10.0.0.1:1"])
@pytest.mark.parametrize("client", [AlignmentClient, AsyncAlignmentClient])
def test_a_token_never_leaves_the_machine_in_the_clear(target: str, client: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="in the clear"):
        client(target, token="dear-to-me")
    with pytest.raises(ValueError, match="in the clear") as caught:
        client(target, token_file="reader.token")
    assert "dear-to-me" not in str(caught.value)


def test_contradictions_are_named() -> None:
    with pytest.raises(ValueError, match="tls or credentials"):
        AlignmentClient(tls=TLS, credentials=Tls().credentials())
    with pytest.raises(ValueError, match="token_file or token"):
        AlignmentClient(token="a", token_file="b")
    with pytest.raises(ValueError, match="belong together"):
        Tls(certificate="a")


def test_a_file_of_authorities_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pem"):
        AlignmentClient(tls=Tls(root="nowhere.pem"))


@pytest.mark.parametrize("field", ["root", "both"])
def test_a_file_that_is_no_pem_is_named(tmp_path: Path, field: str) -> None:
    """gRPC would say that no server answers."""
    (tmp_path / "ca.pem").write_text("not a certificate")
    file = tmp_path / "ca.pem"
    tls = Tls(root=file) if field == "root" else Tls(certificate=file, key=file)
    with pytest.raises(ValueError, match=r"ca\.pem is no PEM file"):
        AlignmentClient(tls=tls)


def test_secrets_show_in_no_representation() -> None:
    assert "dear-to-me" not in repr(Access(token="dear-to-me", credentials=Tls().credentials()))


def test_a_renewed_token_is_taken_for_the_next_call(tmp_path: Path) -> None:
    service, file = Service(), tmp_path / "token"
    with serving(service) as target, AlignmentClient(target, token_file=file, retry=FAST) as client:
        for token in ("old", "new"):
            file.write_text(f"{token}\n")
            client.models()
            assert service.metadata["authorization"] == f"Bearer {token}"


class Rotating(Service):
    """Takes the token "old" until two items of a stream are answered, and "new" from then on."""

    def __init__(self, on_change: Callable[[], object]) -> None:
        super().__init__()
        self.good, self._on_change = "old", on_change

    def AlignStream(self, requests: Iterator[pb.AlignRequest], context: Any) -> Iterator[pb.AlignStreamResponse]:
        self.calls += 1
        shown = dict(context.invocation_metadata())["authorization"]
        for request in requests:
            if shown == f"Bearer {self.good}":
                yield pb.AlignStreamResponse(request_id=request.request_id, response=answer(request))
                self.streamed.append(request.request_id)
            else:
                error = error_to_pb(errors.Unauthenticated("not known here"))
                yield pb.AlignStreamResponse(request_id=request.request_id, error=error)
            if self.good == "old" and len(self.streamed) == 2:
                self.good = "new"
                self._on_change()


def test_a_stream_goes_on_with_a_renewed_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    service = Rotating(lambda: file.write_text("new"))
    with serving(service) as target, AlignmentClient(target, token_file=file, retry=FAST) as client:
        answers = dict(client.stream(items(9), window=3))
    assert len(answers) == 9
    assert not any(isinstance(each, Exception) for each in answers.values())
    assert service.calls == 2


def test_a_stream_whose_token_was_not_renewed_says_so_for_each_item(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    service = Rotating(lambda: None)
    with serving(service) as target, AlignmentClient(target, token_file=file, retry=FAST) as client:
        answers = dict(client.stream(items(9), window=3))
    assert sum(isinstance(each, errors.Unauthenticated) for each in answers.values()) == 7
    assert service.calls == 1


@pytest.mark.parametrize("content", ["", "two words", "smörgås"])
def test_a_file_without_a_token_is_named_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with AlignmentClient(token_file=file) as client, pytest.raises(ValueError, match="holds no token") as caught:
        client.models()
    assert not content or content not in str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours")


async def maps(job: Job) -> pb.AlignStreamResponse:
    response = answer(pb.AlignRequest.FromString(job.body))
    return pb.AlignStreamResponse(request_id=job.context.request_id, response=response)


@pytest.fixture
async def front(tmp_path: Path, authority: Authority) -> AsyncIterator[RunningGateway]:
    """A gateway that asks for client certificates, under another name than its address."""
    security = authority.server("gateway.example", mutual=True)
    async with running_gateway(tmp_path, FakeTorchServe(maps), security=security) as running:
        yield running


def secured(authority: Authority) -> Tls:
    certificate, key = authority.client("reader")
    return Tls(authority.root, certificate, key, server_name="gateway.example")


async def test_both_clients_get_through_mutual_tls(front: RunningGateway, authority: Authority) -> None:
    def work() -> list[str]:
        with AlignmentClient(front.target, tls=secured(authority)) as client:
            client.align(png(), ["The heart is enlarged."])
            items = [AlignItem(str(number), png(), ["The heart is enlarged."]) for number in range(3)]
            return sorted(name for name, answer in client.stream(items) if not isinstance(answer, Exception))

    assert await asyncio.to_thread(work) == ["0", "1", "2"]
    async with AsyncAlignmentClient(front.target, tls=secured(authority)) as client:
        assert len(await client.models()) == 2


@pytest.mark.parametrize("flaw", ["authority", "name", "no certificate"])
async def test_what_keeps_a_secure_connection_from_coming_about_is_said(
    front: RunningGateway, authority: Authority, tmp_path: Path, flaw: str
) -> None:
    good = secured(authority)
    tls = {
        "authority": Tls(Authority(tmp_path / "strangers").root, good.certificate, good.key, good.server_name),
        "name": Tls(good.root, good.certificate, good.key),
        "no certificate": Tls(good.root, server_name=good.server_name),
    }[flaw]
    async with AsyncAlignmentClient(front.target, tls=tls, retry=Retry(attempts=1)) as client:
        with pytest.raises(errors.ModelUnavailable) as caught:
            await client.models()
    if flaw != "no certificate":  # by TLS 1.3 the server says no after the client's side of the handshake is done
        assert "no secure connection comes about" in caught.value.message
