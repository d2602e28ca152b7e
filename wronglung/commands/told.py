"""What a server is to be told by files, as `wronglung doctor` judges it: who is let in, and which versions answer."""

from collections.abc import Sequence
from pathlib import Path

from wronglung.gateway.security.options import SecurityOptions


def access_finding(options: SecurityOptions, host: str) -> str:
    """Who would be let in, over what.

    Raises:
        OSError: a file cannot be read.
        ValueError: the options leave a gap, or a file cannot be used.
    """
    from wronglung.gateway.metrics import Metrics
    from wronglung.gateway.security.access import Access

    Access(options, host, Metrics())
    over = f"TLS with {options.tls_cert}" if options.tls_cert else "plaintext"
    asked = {"a token of": options.tokens, "a certificate by": options.client_ca}
    how = " and ".join(f"{what} {file}" for what, file in asked.items() if file)
    return f"{host} by {over}, for {f'callers with {how}' if how else 'everybody who reaches it'}"


def versions_finding(file: Path, folders: Sequence[Path]) -> str:
    """Which versions would answer callers who name none, of models in these folders of a store.

    Raises:
        OSError: the file cannot be read.
        ValueError: it names what would not be served, or makes no sense.
    """
    from wronglung.archives import describe_models
    from wronglung.gateway.metrics import Metrics
    from wronglung.gateway.versions import DefaultVersions
    from wronglung.served import Catalogue

    catalogue = Catalogue(model for folder in folders for model in describe_models([folder.name], folder.parent))
    DefaultVersions(file, catalogue, Metrics(), lambda: None)
    return ", ".join(f"{model.name} {model.version}" for model in catalogue.defaults)
