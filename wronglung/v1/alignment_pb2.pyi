from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_CODE_UNSPECIFIED: _ClassVar[ErrorCode]
    ERROR_CODE_REQUEST_INVALID: _ClassVar[ErrorCode]
    ERROR_CODE_IMAGE_EMPTY: _ClassVar[ErrorCode]
    ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED: _ClassVar[ErrorCode]
    ERROR_CODE_IMAGE_CORRUPT: _ClassVar[ErrorCode]
    ERROR_CODE_IMAGE_TOO_MANY_BYTES: _ClassVar[ErrorCode]
    ERROR_CODE_IMAGE_TOO_MANY_PIXELS: _ClassVar[ErrorCode]
    ERROR_CODE_SENTENCES_MISSING: _ClassVar[ErrorCode]
    ERROR_CODE_SENTENCES_TOO_MANY: _ClassVar[ErrorCode]
    ERROR_CODE_SENTENCE_EMPTY: _ClassVar[ErrorCode]
    ERROR_CODE_SENTENCE_TOO_LONG: _ClassVar[ErrorCode]
    ERROR_CODE_ANSWER_TOO_LARGE: _ClassVar[ErrorCode]
    ERROR_CODE_MODEL_UNKNOWN: _ClassVar[ErrorCode]
    ERROR_CODE_MODEL_UNAVAILABLE: _ClassVar[ErrorCode]
    ERROR_CODE_OVERLOADED: _ClassVar[ErrorCode]
    ERROR_CODE_DEADLINE_EXCEEDED: _ClassVar[ErrorCode]
    ERROR_CODE_INTERNAL: _ClassVar[ErrorCode]
    ERROR_CODE_UNAUTHENTICATED: _ClassVar[ErrorCode]
ERROR_CODE_UNSPECIFIED: ErrorCode
ERROR_CODE_REQUEST_INVALID: ErrorCode
ERROR_CODE_IMAGE_EMPTY: ErrorCode
ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED: ErrorCode
ERROR_CODE_IMAGE_CORRUPT: ErrorCode
ERROR_CODE_IMAGE_TOO_MANY_BYTES: ErrorCode
ERROR_CODE_IMAGE_TOO_MANY_PIXELS: ErrorCode
ERROR_CODE_SENTENCES_MISSING: ErrorCode
ERROR_CODE_SENTENCES_TOO_MANY: ErrorCode
ERROR_CODE_SENTENCE_EMPTY: ErrorCode
ERROR_CODE_SENTENCE_TOO_LONG: ErrorCode
ERROR_CODE_ANSWER_TOO_LARGE: ErrorCode
ERROR_CODE_MODEL_UNKNOWN: ErrorCode
ERROR_CODE_MODEL_UNAVAILABLE: ErrorCode
ERROR_CODE_OVERLOADED: ErrorCode
ERROR_CODE_DEADLINE_EXCEEDED: ErrorCode
ERROR_CODE_INTERNAL: ErrorCode
ERROR_CODE_UNAUTHENTICATED: ErrorCode

class AlignRequest(_message.Message):
    __slots__ = ("request_id", "model_name", "model_version", "image", "sentences", "options")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model_name: str
    model_version: str
    image: bytes
    sentences: _containers.RepeatedScalarFieldContainer[str]
    options: AlignOptions
    def __init__(self, request_id: _Optional[str] = ..., model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., image: _Optional[bytes] = ..., sentences: _Optional[_Iterable[str]] = ..., options: _Optional[_Union[AlignOptions, _Mapping]] = ...) -> None: ...

class AlignOptions(_message.Message):
    __slots__ = ("word_maps",)
    WORD_MAPS_FIELD_NUMBER: _ClassVar[int]
    word_maps: bool
    def __init__(self, word_maps: _Optional[bool] = ...) -> None: ...

class AlignResponse(_message.Message):
    __slots__ = ("request_id", "model", "frame", "results", "deterministic")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    DETERMINISTIC_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model: ModelIdentity
    frame: Frame
    results: _containers.RepeatedCompositeFieldContainer[SentenceResult]
    deterministic: bool
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[_Union[ModelIdentity, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., results: _Optional[_Iterable[_Union[SentenceResult, _Mapping]]] = ..., deterministic: _Optional[bool] = ...) -> None: ...

class ModelIdentity(_message.Message):
    __slots__ = ("name", "version", "weights_digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    weights_digest: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., weights_digest: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("image_width", "image_height", "resized_width", "resized_height", "offset_x", "offset_y", "width", "height", "covered", "padding")
    IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    RESIZED_WIDTH_FIELD_NUMBER: _ClassVar[int]
    RESIZED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_X_FIELD_NUMBER: _ClassVar[int]
    OFFSET_Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    COVERED_FIELD_NUMBER: _ClassVar[int]
    PADDING_FIELD_NUMBER: _ClassVar[int]
    image_width: int
    image_height: int
    resized_width: int
    resized_height: int
    offset_x: int
    offset_y: int
    width: int
    height: int
    covered: Rectangle
    padding: Padding
    def __init__(self, image_width: _Optional[int] = ..., image_height: _Optional[int] = ..., resized_width: _Optional[int] = ..., resized_height: _Optional[int] = ..., offset_x: _Optional[int] = ..., offset_y: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., covered: _Optional[_Union[Rectangle, _Mapping]] = ..., padding: _Optional[_Union[Padding, _Mapping]] = ...) -> None: ...

class Rectangle(_message.Message):
    __slots__ = ("x0", "y0", "x1", "y1")
    X0_FIELD_NUMBER: _ClassVar[int]
    Y0_FIELD_NUMBER: _ClassVar[int]
    X1_FIELD_NUMBER: _ClassVar[int]
    Y1_FIELD_NUMBER: _ClassVar[int]
    x0: float
    y0: float
    x1: float
    y1: float
    def __init__(self, x0: _Optional[float] = ..., y0: _Optional[float] = ..., x1: _Optional[float] = ..., y1: _Optional[float] = ...) -> None: ...

class Padding(_message.Message):
    __slots__ = ("left", "top", "right", "bottom")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_FIELD_NUMBER: _ClassVar[int]
    left: int
    top: int
    right: int
    bottom: int
    def __init__(self, left: _Optional[int] = ..., top: _Optional[int] = ..., right: _Optional[int] = ..., bottom: _Optional[int] = ...) -> None: ...

class SentenceResult(_message.Message):
    __slots__ = ("alignment", "error")
    ALIGNMENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    alignment: SentenceAlignment
    error: Error
    def __init__(self, alignment: _Optional[_Union[SentenceAlignment, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class SentenceAlignment(_message.Message):
    __slots__ = ("map", "opt_out_mass", "local_similarity", "global_similarity", "words", "word_maps", "truncated")
    MAP_FIELD_NUMBER: _ClassVar[int]
    OPT_OUT_MASS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    WORD_MAPS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    map: AttentionMap
    opt_out_mass: float
    local_similarity: float
    global_similarity: float
    words: _containers.RepeatedScalarFieldContainer[str]
    word_maps: _containers.RepeatedCompositeFieldContainer[AttentionMap]
    truncated: bool
    def __init__(self, map: _Optional[_Union[AttentionMap, _Mapping]] = ..., opt_out_mass: _Optional[float] = ..., local_similarity: _Optional[float] = ..., global_similarity: _Optional[float] = ..., words: _Optional[_Iterable[str]] = ..., word_maps: _Optional[_Iterable[_Union[AttentionMap, _Mapping]]] = ..., truncated: _Optional[bool] = ...) -> None: ...

class AttentionMap(_message.Message):
    __slots__ = ("rows", "cols", "values")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    rows: int
    cols: int
    values: bytes
    def __init__(self, rows: _Optional[int] = ..., cols: _Optional[int] = ..., values: _Optional[bytes] = ...) -> None: ...

class AlignStreamResponse(_message.Message):
    __slots__ = ("request_id", "response", "error")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    response: AlignResponse
    error: Error
    def __init__(self, request_id: _Optional[str] = ..., response: _Optional[_Union[AlignResponse, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message", "field", "retry_after_ms")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    code: ErrorCode
    message: str
    field: str
    retry_after_ms: int
    def __init__(self, code: _Optional[_Union[ErrorCode, str]] = ..., message: _Optional[str] = ..., field: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("identity", "ready", "has_opt_out", "grid_rows", "grid_cols", "frame_width", "frame_height", "max_word_pieces", "is_default")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    HAS_OPT_OUT_FIELD_NUMBER: _ClassVar[int]
    GRID_ROWS_FIELD_NUMBER: _ClassVar[int]
    GRID_COLS_FIELD_NUMBER: _ClassVar[int]
    FRAME_WIDTH_FIELD_NUMBER: _ClassVar[int]
    FRAME_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_WORD_PIECES_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    identity: ModelIdentity
    ready: bool
    has_opt_out: bool
    grid_rows: int
    grid_cols: int
    frame_width: int
    frame_height: int
    max_word_pieces: int
    is_default: bool
    def __init__(self, identity: _Optional[_Union[ModelIdentity, _Mapping]] = ..., ready: _Optional[bool] = ..., has_opt_out: _Optional[bool] = ..., grid_rows: _Optional[int] = ..., grid_cols: _Optional[int] = ..., frame_width: _Optional[int] = ..., frame_height: _Optional[int] = ..., max_word_pieces: _Optional[int] = ..., is_default: _Optional[bool] = ...) -> None: ...
