"""Everything that decides who is let in, from the options to a port that listens."""

import logging
from collections.abc import Callable, Collection

import grpc
import grpc.aio

from wronglung.gateway.metrics import Metrics
from wronglung.gateway.security.callers import Callers
from wronglung.gateway.security.certificates import Certificates, make_certificates
from wronglung.gateway.security.doorkeeper import Doorkeeper
from wronglung.gateway.security.options import SecurityOptions
from wronglung.gateway.security.reloading import Reloading, Watcher
from wronglung.gateway.security.tokens import Tokens, make_tokens

_log = logging.getLogger(__name__)


class Access:
    """The files in force, and what follows from them.

    Args:
        options: see there.
        host: the address that is to be listened on.
        metrics: where reloads and refusals are counted.
        served: names of the served models, to warn of rights to others; None: not known yet.

    Raises:
        OSError: a file cannot be read.
        ValueError: the options leave a gap, or a file cannot be used.
    """

    def __init__(
        self,
        options: SecurityOptions,
        host: str,
        metrics: Metrics,
        served: Collection[str] | None = None,
    ) -> None:
        options.check(host)
        self._metrics = metrics
        self._served = None if served is None else frozenset(served)
        self._certificates = _certificates(options, metrics)
        self._tokens = _tokens(options, metrics)
        self._given: Certificates | None = None
        self._watcher = Watcher("certificates and tokens", self.refresh)
        self.callers = Callers(self._tokens)
        self.interceptors = [Doorkeeper(self.callers, metrics)] if self._tokens is not None else []
        self._note_certificates()
        self._note_tokens()

    def listen(self, server: grpc.aio.Server, address: str) -> int:
        """Have the server listen, by TLS if there is a certificate; returns the port.

        Raises:
            RuntimeError: it cannot, as gRPC says it.
        """
        if self._certificates is None:
            return server.add_insecure_port(address)
        self._given = self._certificates.value
        credentials = grpc.dynamic_ssl_server_credentials(
            self._given.configuration(),
            self._renewed,  # type: ignore[arg-type] # the stubs do not know that None is an answer
            self._given.client_ca is not None,
        )
        return server.add_secure_port(address, credentials)

    def start(self, on_rights: Callable[[], None]) -> None:
        """From now on watch the files; `on_rights` is called, in the event loop, after the tokens have changed."""
        if self._certificates is not None or self._tokens is not None:
            self._watcher.start(on_rights)

    async def stop(self) -> None:
        """Watch no longer."""
        await self._watcher.stop()

    def refresh(self) -> bool:
        """Look at the files now. What is open stays open; new connections and calls meet what is in force then.

        Returns:
            Whether there are other tokens than before.
        """
        if other_tokens := self._tokens is not None and self._tokens.refresh():
            self._note_tokens()
        if self._certificates is not None and self._certificates.refresh():
            self._note_certificates()
        return other_tokens

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Asked by gRPC in a thread of its own before every handshake: other certificates, or None for the same."""
        assert self._certificates is not None
        current = self._certificates.value
        if current is self._given:
            return None
        self._given = current
        return current.configuration()

    def _note_certificates(self) -> None:
        if self._certificates is not None:
            expires = self._certificates.value.expires.timestamp()
            self._metrics.certificate_expiry.labels("server").set(expires)

    def _note_tokens(self) -> None:
        if self._tokens is None or self._served is None:
            return
        if unknown := sorted(self._tokens.value.models() - self._served):
            _log.warning("the file of tokens gives rights to models that are not served", extra={"models": unknown})


def _certificates(options: SecurityOptions, metrics: Metrics) -> Reloading[Certificates] | None:
    if options.tls_cert is None or options.tls_key is None:
        return None
    files = {"--tls-cert": options.tls_cert, "--tls-key": options.tls_key}
    if options.client_ca is not None:
        files["--client-ca"] = options.client_ca
    return Reloading("certificates", files, make_certificates, metrics)


def _tokens(options: SecurityOptions, metrics: Metrics) -> Reloading[Tokens] | None:
    return Reloading("tokens", {"--tokens": options.tokens}, make_tokens, metrics) if options.tokens else None
