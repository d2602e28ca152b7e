"""One tree of errors, shared by client, gateway and model code.

    WronglungError
    ├── InvalidRequest          the caller must change the request
    │   ├── RequestInvalid
    │   ├── ImageError
    │   │   ├── ImageEmpty
    │   │   ├── ImageFormatUnsupported
    │   │   ├── ImageCorrupt
    │   │   ├── ImageTooManyBytes
    │   │   └── ImageTooManyPixels
    │   ├── SentencesMissing
    │   ├── SentencesTooMany
    │   ├── SentenceEmpty
    │   ├── SentenceTooLong
    │   └── AnswerTooLarge
    ├── ModelUnknown
    ├── Unauthenticated
    ├── ModelUnavailable        the same request may succeed later
    ├── Overloaded
    ├── DeadlineExceeded
    └── InternalError           a defect of the server

Every class names its wire code (an `ErrorCode` of `alignment.proto`) and its gRPC status, both by name so that this
module imports neither grpc nor protobuf. Messages never contain image data or the text of a sentence.
"""

from typing import ClassVar

RETRY_MS = 1000
"""When to try again, in milliseconds, where nothing tells when that will be worth it."""


class WronglungError(Exception):
    """Base of every error that a caller can meet.

    Args:
        message: what is wrong and what to do about it.
        field: the field of the request at fault, e.g. ``"sentences[3]"``; empty when none is.
        retry_after_ms: wait at least this long before retrying; 0 means no advice.
    """

    code: ClassVar[str] = "ERROR_CODE_UNSPECIFIED"
    grpc_status: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str = "", retry_after_ms: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_ms = retry_after_ms

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidRequest(WronglungError):
    """The caller must change the request; repeating it cannot help."""

    grpc_status = "INVALID_ARGUMENT"


class RequestInvalid(InvalidRequest):
    """The message is not an AlignRequest, its id is missing, too long or already in flight, or it asks for word maps
    of a model that has none."""

    code = "ERROR_CODE_REQUEST_INVALID"


class ImageError(InvalidRequest):
    """Something is wrong with the image."""


class ImageEmpty(ImageError):
    """The image has no bytes."""

    code = "ERROR_CODE_IMAGE_EMPTY"


class ImageFormatUnsupported(ImageError):
    """Neither JPEG, PNG nor DICOM, or a flavour of these that is not supported."""

    code = "ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED"


class ImageCorrupt(ImageError):
    """The image is damaged or cut off."""

    code = "ERROR_CODE_IMAGE_CORRUPT"


class ImageTooManyBytes(ImageError):
    """More encoded bytes than allowed."""

    code = "ERROR_CODE_IMAGE_TOO_MANY_BYTES"


class ImageTooManyPixels(ImageError):
    """More pixels than allowed, by the image's own header."""

    code = "ERROR_CODE_IMAGE_TOO_MANY_PIXELS"


class SentencesMissing(InvalidRequest):
    """No sentence."""

    code = "ERROR_CODE_SENTENCES_MISSING"


class SentencesTooMany(InvalidRequest):
    """More sentences than allowed."""

    code = "ERROR_CODE_SENTENCES_TOO_MANY"


class SentenceEmpty(InvalidRequest):
    """A sentence without characters, or of which cleaning leaves nothing."""

    code = "ERROR_CODE_SENTENCE_EMPTY"


class SentenceTooLong(InvalidRequest):
    """A sentence with more characters than allowed."""

    code = "ERROR_CODE_SENTENCE_TOO_LONG"


class AnswerTooLarge(InvalidRequest):
    """The answer could be larger than allowed."""

    code = "ERROR_CODE_ANSWER_TOO_LARGE"


class ModelUnknown(WronglungError):
    """No model of this name and version is served."""

    code = "ERROR_CODE_MODEL_UNKNOWN"
    grpc_status = "NOT_FOUND"


class Unauthenticated(WronglungError):
    """No token, or a wrong one."""

    code = "ERROR_CODE_UNAUTHENTICATED"
    grpc_status = "UNAUTHENTICATED"


class ModelUnavailable(WronglungError):
    """The model is served but not ready."""

    code = "ERROR_CODE_MODEL_UNAVAILABLE"
    grpc_status = "UNAVAILABLE"
    retryable = True


class Overloaded(WronglungError):
    """The server is full."""

    code = "ERROR_CODE_OVERLOADED"
    grpc_status = "RESOURCE_EXHAUSTED"
    retryable = True


class DeadlineExceeded(WronglungError):
    """The deadline passed before the work was begun or done."""

    code = "ERROR_CODE_DEADLINE_EXCEEDED"
    grpc_status = "DEADLINE_EXCEEDED"


class InternalError(WronglungError):
    """A defect of the server."""

    code = "ERROR_CODE_INTERNAL"
    grpc_status = "INTERNAL"


def leaf_errors() -> dict[str, type[WronglungError]]:
    """Map each wire code's name to its class: every class of the tree that has a code of its own."""

    def walk(cls: type[WronglungError]) -> list[type[WronglungError]]:
        return [cls, *(leaf for sub in cls.__subclasses__() for leaf in walk(sub))]

    return {cls.code: cls for cls in walk(WronglungError) if cls.code != WronglungError.code}
