"""Defects as they may be logged: where they happened and of what kind, without their messages.

An exception's message can quote what it choked on: a word of a report, a value of a DICOM header. Logs hold neither.
"""

import traceback


def where(error: BaseException) -> str:
    """Type and places of an exception and of those behind it, newest first; never a message or a value."""
    found: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < _MOST:
        frames = [
            f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(cause.__traceback__)
        ]
        found.append("\n  ".join([type(cause).__qualname__, *reversed(frames)]))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\nbecause of ".join(found)


_MOST = 8
"""Exceptions in a chain, which could be a circle."""
