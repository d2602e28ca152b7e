"""The client: an encoded image or numpy in, numpy out; synchronous and for asyncio.

    with AlignmentClient("127.0.0.1:8500") as client:
        alignment = client.align("chest.png", ["Opacity in the right lower lobe."])

Over TLS, with a token that is read for every call:

    AlignmentClient("dns:///server.example:8500", tls=Tls(root="ca.pem"), token_file="reader.token")

What can go wrong is in `wronglung.errors`, what comes back in `wronglung.alignment`.
"""

from wronglung.client.access import DEFAULT_TARGET, Tls
from wronglung.client.aio import AsyncAlignmentClient
from wronglung.client.item import AlignItem, Image, encoded
from wronglung.client.resend import Answer
from wronglung.client.sync import AlignmentClient
from wronglung.client.transport import Retry

__all__ = [
    "DEFAULT_TARGET",
    "AlignItem",
    "AlignmentClient",
    "Answer",
    "AsyncAlignmentClient",
    "Image",
    "Retry",
    "Tls",
    "encoded",
]
