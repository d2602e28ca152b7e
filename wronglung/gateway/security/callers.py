"""Who calls, from the token or the client certificate of a call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from wronglung.errors import Unauthenticated
from wronglung.served import Catalogue

TOKEN_KEY = "authorization"  # noqa: S105 - the name of the metadata, not a secret
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    name: str
    """As in the file of tokens or in the client certificate; "-" when nobody is asked who they are."""
    models: frozenset[str] | None = None
    """The models that the caller may use; None: all. Others do not exist for this caller."""

    def sees(self, model: str) -> bool:
        """Whether a model of this name may be used, if there is one."""
        return self.models is None or model in self.models

    def view(self, catalogue: Catalogue) -> Catalogue:
        """What of the catalogue exists for this caller."""
        return catalogue if self.models is None else catalogue.only(self.models)


ANYBODY = Caller("-")


class TokenBook(Protocol):
    """Knows tokens."""

    def find(self, token: str) -> Caller | None:
        """Whose token it is."""


class Holder(Protocol):
    """Holds the tokens that are in force now."""

    @property
    def value(self) -> TokenBook:
        """The tokens."""


class Context(Protocol):
    """The part of a gRPC call's context that says who calls."""

    def invocation_metadata(self) -> Any:
        """The call's metadata, as pairs."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What the transport knows of the other side."""


class Callers:
    """Tells who calls.

    Args:
        tokens: asked for every call; None: no token is wanted, and a client certificate, if there is one, names the
            caller.
    """

    def __init__(self, tokens: Holder | None = None) -> None:
        self._tokens = tokens

    def of(self, context: Context) -> Caller:
        """Who makes a call.

        Raises:
            Unauthenticated: a token is wanted, and there is none, or one that is not known (any more).
        """
        if self._tokens is None:
            return certified(context.auth_context())
        return self.by_token(context.invocation_metadata() or ())

    def by_token(self, metadata: Iterable[tuple[str, Any]]) -> Caller:
        """Who makes a call with this metadata, as far as tokens tell.

        Raises:
            Unauthenticated: as `of`.
        """
        if self._tokens is None:
            return ANYBODY
        given = [value for key, value in metadata if key == TOKEN_KEY]
        if len(given) != 1 or not isinstance(given[0], str) or given[0][: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated(
                "a token is needed: send the metadata 'authorization: Bearer TOKEN', once (--token-file)"
            )
        caller = self._tokens.value.find(given[0][len(_SCHEME) :].strip())
        if caller is None:
            raise Unauthenticated("the token is not known here: ask those who run the server for one")
        return caller


def certified(auth: Mapping[str, Iterable[bytes]]) -> Caller:
    """Whoever a verified client certificate names: by its first alternative name, else by its common name."""
    for key in ("x509_subject_alternative_name", "x509_common_name"):
        for name in auth.get(key, ()):
            return Caller(name.decode("utf-8", "replace"))
    return ANYBODY
