"""Who calls."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.gateway_fakes import MODELS
from wronglung.errors import ModelUnknown, Unauthenticated
from wronglung.gateway.security.callers import ANYBODY, Caller, Callers, certified
from wronglung.served import Catalogue

WARD = Caller("ward", frozenset({"encoder"}))


class Book:
    def find(self, token: str) -> Caller | None:
        return WARD if token == "right" else None


CALLERS = Callers(SimpleNamespace(value=Book()))


@pytest.mark.parametrize("value", ["Bearer right", "bearer right", "BEARER  right "])
def test_a_token_that_is_known_names_the_caller(value: str) -> None:
    assert CALLERS.by_token([("user-agent", "x"), ("authorization", value)]) is WARD


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("authorization", "")],
        [("authorization", "right")],
        [("authorization", "Basic right")],
        [("authorization", "Bearer")],
        [("authorization", b"Bearer right")],
        [("authorization", "Bearer right"), ("authorization", "Bearer right")],
    ],
)
def test_without_exactly_one_token_it_is_said_how_to_send_it(metadata: Any) -> None:
    with pytest.raises(Unauthenticated, match="authorization: Bearer TOKEN"):
        CALLERS.by_token(metadata)


def test_a_token_that_is_not_known_is_not_repeated() -> None:
    with pytest.raises(Unauthenticated) as caught:
        CALLERS.by_token([("authorization", "Bearer wrong-but-dear")])
    assert "wrong-but-dear" not in str(caught.value)


def test_without_tokens_a_client_certificate_names_the_caller() -> None:
    names = {"x509_common_name": [b"common"], "x509_subject_alternative_name": [b"first", b"second"]}
    assert certified(names) == Caller("first")
    assert certified({"x509_common_name": [b"common"]}) == Caller("common")
    assert certified({}) is ANYBODY


def test_what_a_caller_may_not_use_does_not_exist() -> None:
    seen = WARD.view(Catalogue(MODELS))
    assert [model.name for model in seen.models] == ["encoder"]
    messages = set()
    for name in ("encoder-optout", "no-such-model"):
        with pytest.raises(ModelUnknown) as caught:
            seen.find(name)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "optout" not in messages.pop()
    assert ANYBODY.view(Catalogue(MODELS)).models == Catalogue(MODELS).models
