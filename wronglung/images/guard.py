"""One place where the many failures of decoding libraries become one error."""

from collections.abc import Iterator
from contextlib import contextmanager

from wronglung.errors import ImageCorrupt, ImageError


@contextmanager
def corrupt_on_failure(kind: str) -> Iterator[None]:
    """Turn whatever a decoding library raises into ImageCorrupt.

    Such libraries promise no particular exception for bytes that make no sense (struct.error, IndexError,
    SyntaxError, OSError and others were seen), so every one counts as "damaged" here. Their messages are kept out of
    ours: they may quote the file, and with it a patient.
    """
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        raise ImageCorrupt(f"the {kind} image is damaged or cut off: send the whole file", field="image") from error
