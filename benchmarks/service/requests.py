"""What is asked: phantom studies, each image different, so that no answer comes from a cache by accident."""

import itertools
from collections.abc import Iterable, Sequence

from harness.case import ImageRecord
from harness.dataset.phantom import PhantomDataset
from wronglung.v1 import alignment_pb2 as pb


def own_reports(models: Sequence[str], studies: int) -> list[pb.AlignRequest]:
    """Studies with all their own sentences, for the models in turn."""
    asked = zip(_records(studies), itertools.cycle(models), strict=False)
    return [_request(model, record, (each.text for each in record.sentences)) for record, model in asked]


def one_sentence_each(model: str, studies: int, sentences: Sequence[str]) -> list[pb.AlignRequest]:
    """Studies with one of these sentences, in turn."""
    asked = zip(_records(studies), itertools.cycle(sentences), strict=False)
    return [_request(model, record, [sentence]) for record, sentence in asked]


def _records(studies: int) -> Iterable[ImageRecord]:
    return itertools.islice(PhantomDataset(seed=0, split="test", patients=studies), studies)


def _request(model: str, record: ImageRecord, sentences: Iterable[str]) -> pb.AlignRequest:
    return pb.AlignRequest(model_name=model, image=record.load(), sentences=sentences)
