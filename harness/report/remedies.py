"""What to do about a failure, by its code."""

from collections.abc import Mapping

PREFIX = "ERROR_CODE_"
REMEDIES: Mapping[str, str] = {
    "REQUEST_INVALID": "Client and server differ: install the same version of both.",
    "IMAGE_EMPTY": "The file has no bytes: copy it again, or leave the image out of the data set.",
    "IMAGE_FORMAT_UNSUPPORTED": "Convert the image to PNG, JPEG or uncompressed DICOM.",
    "IMAGE_CORRUPT": "The file is damaged or cut off: copy it again, or leave the image out.",
    "IMAGE_TOO_MANY_BYTES": "Store the image smaller or compressed; the limits are in docs/limits.md.",
    "IMAGE_TOO_MANY_PIXELS": "Scale the image and its boxes down; the limits are in docs/limits.md.",
    "SENTENCES_MISSING": "An image without sentences was sent: report this as a defect of the harness.",
    "SENTENCES_TOO_MANY": "Split the image's sentences over two records; the limits are in docs/limits.md.",
    "SENTENCE_EMPTY": "Cleaning leaves no word of it, as of a single word: reword the sentence or leave it out.",
    "SENTENCE_TOO_LONG": "Split the sentence; the limits are in docs/limits.md.",
    "ANSWER_TOO_LARGE": "Send fewer sentences of one image at once.",
    "MODEL_UNKNOWN": "Serve the model, or correct `models` of the run file.",
    "UNAUTHENTICATED": "What stands before the server wants a token: reach it from inside, see docs/operations.md.",
    "MODEL_UNAVAILABLE": "Wait until the model is ready, then run again with --resume.",
    "OVERLOADED": "Lower `window` of the run file, or add servers; then run again with --resume.",
    "DEADLINE_EXCEEDED": "Lower `window` of the run file, or give the server more time; then run again.",
    "INTERNAL": "A defect of the server: its log has the cause under the request's id.",
}


def remedy(code: str) -> str:
    """What to do about failures of this code; empty for one that is not known."""
    return REMEDIES.get(code.removeprefix(PREFIX), "")
