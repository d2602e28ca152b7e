"""The file of tokens."""

import hashlib

import pytest

from wronglung.gateway.security.callers import Caller
from wronglung.gateway.security.tokens import make_tokens


def digest(token: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def test_a_token_is_found_with_its_callers_name_and_rights() -> None:
    file = f"# who\n\nward {digest('one')}   # ward 3\nnightly {digest('two')} encoder,encoder-optout\n"
    tokens = make_tokens(file.encode())
    assert tokens.find("one") == Caller("ward")
    assert tokens.find("two") == Caller("nightly", frozenset({"encoder", "encoder-optout"}))
    assert tokens.models() == {"encoder", "encoder-optout"}


@pytest.mark.parametrize("token", ["", "One", "one ", digest("one"), "\ud800"])
def test_whatever_is_not_a_token_is_nobodys(token: str) -> None:
    assert make_tokens(f"ward {digest('one')}\n".encode()).find(token) is None


def test_a_caller_may_have_two_tokens_while_one_replaces_the_other() -> None:
    tokens = make_tokens(f"ward {digest('old')}\nward {digest('new')} encoder\n".encode())
    assert tokens.find("old") == Caller("ward")
    assert tokens.find("new") == Caller("ward", frozenset({"encoder"}))


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (b"", "names no caller"),
        (b"# nobody\n", "names no caller"),
        (b"\xff\xfe", "no UTF-8"),
        (f"ward {digest('one')}".encode(), "cut off"),  # " encoder" may have been cut off: it is not good for all
        (b"\nward\n", "line 2 .* has 1 words"),
        (b"ward sha256:00 encoder extra\n", "has 4 words"),
        (b"ward my-secret-token\n", "line 1 .* second word must be sha256:"),
        (f"- {digest('one')}\n".encode(), "line 1 .* a name has"),
        (f"a {digest('one')}\nb {digest('one')}\n".encode(), "a token twice"),
    ],
)
def test_a_fault_is_named_with_its_line_and_without_its_secret(file: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        make_tokens(file)
    assert "my-secret-token" not in str(caught.value)


def test_an_empty_token_is_nobodys_whatever_the_file_says() -> None:
    assert make_tokens(f"ward {digest('')}\n".encode()).find("") is None
