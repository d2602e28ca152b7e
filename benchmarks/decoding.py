"""What decoding costs beside the model, and what decoding the next image while one is computed gives back.

The handler gets the same eight requests one by one, and as one batch, in turn. Images differ and nothing is kept: every
one is decoded and encoded. Ratios need an idle core: where other work takes it, they come out lower. The least of
several times is taken, and CPU time for the parts, which other work changes less.
"""

import io
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import imagecodecs
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks.full_size import REPORT, full_size_model
from handlers.alignment_handler import AlignmentHandler
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.home import project_home
from wronglung.model import AlignmentModel, load_model
from wronglung.v1 import alignment_pb2 as pb

BATCH = 8
REPEATS = 5
HEIGHT, WIDTH = 2850, 2400
Entries = list[dict[str, bytes]]
Words = npt.NDArray[np.uint16]


class Context:
    """TorchServe's context as far as the handler uses it; what it reports goes nowhere."""

    model_name = "benchmark"

    def __init__(self) -> None:
        meter = SimpleNamespace(add_or_update=lambda value, labels: None)
        self.metrics = SimpleNamespace(get_metric=lambda name, kind: meter)

    def set_response_header(self, index: int, key: str, value: str) -> None:
        """Nothing reads it."""


def main() -> None:
    """Print seconds per image: CPU time of the parts, wall time one by one and in batches, and their ratio."""
    torch.set_num_threads(1)
    print(f"{BATCH} requests of {len(REPORT)} sentences, {WIDTH} x {HEIGHT} pixels, least of {REPEATS}, 1 model thread")
    print(f"{'model':12}{'image':>16}{'MB':>6}{'decode s':>10}{'model s':>9}{'one by one':>12}{'batch':>8}{'ratio':>7}")
    for model_name, model in _models().items():
        for image_name, images in _images().items():
            print(f"{model_name:12}{image_name:>16}{len(images[0]) / 1e6:6.1f}{_row(model, images)}")


def _models() -> Mapping[str, AlignmentModel]:
    small = load_model(project_home() / "model_store" / "encoder", image_cache_mib=0, sentence_cache_mib=0)
    return {"encoder": small, "full size": full_size_model(deterministic=True)}


def _images() -> Mapping[str, list[bytes]]:
    pictures = [_picture(seed) for seed in range(BATCH)]
    return {
        "JPEG": [_jpeg(each) for each in pictures],
        "PNG": [_png(each) for each in pictures],
        "DICOM": [_dicom(each) for each in pictures],
    }


def _picture(seed: int) -> Words:
    """Noise on a slope, 12 bits: about as hard to compress as a radiograph."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(500, 3000, WIDTH)[None, :] + np.linspace(0, 500, HEIGHT)[:, None]
    return np.clip(slope + rng.normal(0, 60, (HEIGHT, WIDTH)), 0, 4095).astype("<u2")


def _jpeg(picture: Words) -> bytes:
    return bytes(imagecodecs.jpeg8_encode((picture >> 4).astype(np.uint8), level=95))


def _png(picture: Words) -> bytes:
    file = io.BytesIO()
    Image.fromarray((picture >> 4).astype(np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _dicom(picture: Words) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    dataset.Rows, dataset.Columns = picture.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 2000, 3000
    dataset.PixelData = picture.tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _row(model: AlignmentModel, images: Sequence[bytes]) -> str:
    handler, context = AlignmentHandler(), Context()
    handler.model = model
    handler.find_meters(context)
    entries = [_entry(f"{number}", image) for number, image in enumerate(images)]
    decode_s, model_s = _parts(handler, entries)
    one_by_one, batch = [], []
    for _ in range(REPEATS):  # in turn, so that what else the machine does falls on both
        one_by_one.append(_seconds(handler, context, [[entry] for entry in entries]) / BATCH)
        batch.append(_seconds(handler, context, [entries]) / BATCH)
    ratio = min(one_by_one) / min(batch)
    return f"{decode_s:10.3f}{model_s:9.3f}{min(one_by_one):12.3f}{min(batch):8.3f}{ratio:7.2f}"


def _parts(handler: AlignmentHandler, entries: Entries) -> tuple[float, float]:
    """CPU seconds of decoding and of the model, per image, once warm."""
    handler.predict([handler.decode(entries[0][REQUEST_ENTRY])])  # warm up
    started = time.process_time()
    decoded = [handler.decode(entry[REQUEST_ENTRY]) for entry in entries]
    between = time.process_time()
    for each in decoded:
        handler.predict([each])
    return (between - started) / BATCH, (time.process_time() - between) / BATCH


def _entry(request_id: str, image: bytes) -> dict[str, bytes]:
    body = pb.AlignRequest(request_id=request_id, image=image, sentences=REPORT).SerializeToString()
    return {REQUEST_ENTRY: body, CONTEXT_ENTRY: RequestContext(request_id).to_bytes()}


def _seconds(handler: AlignmentHandler, context: Context, batches: Sequence[Entries]) -> float:
    started = time.perf_counter()
    for batch in batches:
        for answer in handler.handle(batch, context):
            if pb.AlignStreamResponse.FromString(answer).HasField("error"):
                raise RuntimeError("a request of the benchmark was refused")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
