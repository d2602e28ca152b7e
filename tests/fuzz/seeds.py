"""Small valid inputs that fuzzing starts from: every kind of file and message that is understood."""

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from tests.dicom_files import LOSSLESS, LOSSY, dicom, table
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.errors import Overloaded, SentenceEmpty
from wronglung.gateway.status import status_of
from wronglung.geometry import letterbox
from wronglung.torchserve.inference_pb2 import PredictionsRequest
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import response_from_alignment

PIXELS = np.random.default_rng(1).integers(0, 256, (24, 32), dtype=np.uint8)
WORDS = PIXELS.astype("<u2") * 16
ISOLATED = ("jpeg-ls", "jpeg 2000")
SENTENCES = ("The left lung is clear.", "Opacity in the right lung.", "")


def encoded(form: str, image: Image.Image, **options: Any) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@cache
def png() -> list[bytes]:
    """Every colour type, interlaced, transparent and turned."""
    grey, wide = Image.fromarray(PIXELS), Image.fromarray(WORDS)
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures = [
        grey,
        wide,
        grey.convert("RGB"),
        grey.convert("RGBA"),
        grey.convert("LA"),
        grey.convert("P"),
        grey.convert("1"),
    ]
    return [
        *(encoded("PNG", each) for each in pictures),
        encoded("PNG", grey, exif=exif),
        encoded("PNG", grey.convert("P"), transparency=3),
        encoded("PNG", wide, transparency=16),
        encoded("PNG", grey, icc_profile=bytes(200), pnginfo=None),
    ]


@cache
def jpeg() -> list[bytes]:
    """Baseline, progressive, coloured, four inks, turned, with restarts."""
    grey = Image.fromarray(PIXELS)
    exif = Image.Exif()
    exif[0x0112] = 8
    return [
        encoded("JPEG", grey),
        encoded("JPEG", grey, progressive=True),
        encoded("JPEG", grey.convert("RGB"), subsampling=2),
        encoded("JPEG", grey.convert("RGB"), progressive=True),
        encoded("JPEG", grey.convert("CMYK")),
        encoded("JPEG", grey, exif=exif),
        encoded("JPEG", grey, restart_marker_blocks=1),
        encoded("JPEG", grey, xmp=b'<x tiff:Orientation="6"/>'),
    ]


@cache
def dicom_files() -> list[bytes]:
    """Native and compressed in this process; windows, tables, padding, both ways of greyness."""
    table_of_256 = table(0, 16, list(range(256)), words=False)
    window: dict[str, Any] = {"WindowCenter": 900, "WindowWidth": 500}
    padded: dict[str, Any] = {"PixelPaddingValue": -3, "PixelPaddingRangeLimit": 9}
    compressed = [dicom(PIXELS, coding=coding) for coding in [*LOSSLESS, *LOSSY] if coding not in ISOLATED]
    return [
        dicom(PIXELS),
        dicom(PIXELS, implicit=True),
        dicom(WORDS, bits=12, RescaleSlope=2, RescaleIntercept=-5, **window),
        dicom(WORDS.astype("<i2"), PhotometricInterpretation="MONOCHROME1", **padded),
        dicom(PIXELS, VOILUTSequence=table(0, 16, list(range(0, 25600, 100)))),
        dicom(PIXELS, ModalityLUTSequence=table_of_256, VOILUTFunction="SIGMOID", **window),
        dicom(PIXELS, NumberOfFrames=1, WindowCenter=[1, 2], WindowWidth=[3, 4]),
        dicom(WORDS, coding="rle"),
        *compressed,
    ]


@cache
def isolated_files() -> list[bytes]:
    """DICOM whose decoders have a process of their own."""
    return [dicom(pixels, coding=coding) for coding in ISOLATED for pixels in (PIXELS, WORDS)]


def request(image: bytes, **fields: Any) -> pb.AlignRequest:
    """A valid request."""
    given = {"request_id": "a", "model_name": "encoder", "sentences": SENTENCES} | fields
    return pb.AlignRequest(image=image, **given)


@cache
def requests() -> list[bytes]:
    """Requests as they reach the gateway."""
    pictures = (png()[0], jpeg()[0], dicom_files()[0])
    messages = [request(each) for each in pictures]
    messages.append(
        request(png()[1], model_version="1.0", options=pb.AlignOptions(word_maps=True), sentences=["a"] * 40)
    )
    return [each.SerializeToString() for each in messages]


@cache
def envelopes() -> list[bytes]:
    """Requests as they reach the handler."""
    contexts = [RequestContext("a"), RequestContext("b", 1e12, "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "vendor=1")]
    return [
        PredictionsRequest(
            model_name="encoder", input={REQUEST_ENTRY: body, CONTEXT_ENTRY: context.to_bytes()}
        ).SerializeToString()
        for body in requests()
        for context in contexts
    ]


@cache
def answers() -> list[bytes]:
    """Answers as they reach a client."""
    return [_answer(word_maps=False).SerializeToString(), _answer(word_maps=True).SerializeToString()]


def _answer(*, word_maps: bool) -> pb.AlignResponse:
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(12), 2).astype(np.float32).reshape(2, 3, 4)
    maps[1] = np.nan
    numbers = np.array([0.0, np.nan], np.float32)
    alignment = Alignment(
        maps=maps,
        opt_out=numbers,
        local_similarity=numbers,
        global_similarity=numbers,
        words=(("[CLS]", "clear"), ()),
        truncated=np.zeros(2, np.bool_),
        errors=(None, SentenceEmpty("nothing is left")),
        frame=letterbox(400, 300),
        model=ModelIdentity("encoder", "1.0", "ab" * 32),
        word_maps=(maps[[0, 0]], np.empty((0, 3, 4), np.float32)) if word_maps else None,
    )
    return response_from_alignment(alignment, "a")


@cache
def statuses() -> list[bytes]:
    """Statuses as they reach a client."""
    errors = [SentenceEmpty("nothing is left", field="sentences[0]"), Overloaded("full", retry_after_ms=50)]
    return [status_of(error, "a").SerializeToString() for error in errors]
