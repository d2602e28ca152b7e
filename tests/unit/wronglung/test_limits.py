"""Specification of the one limit that follows from the others."""

from dataclasses import replace

from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb


def test_the_largest_request_that_keeps_every_limit_fits_into_one_message() -> None:
    small = replace(LIMITS, image_bytes=1000)
    largest = pb.AlignRequest(
        request_id="r" * small.request_id_characters,
        model_name="m" * 255,
        model_version="v" * 255,
        image=b"x" * small.image_bytes,
        sentences=["\U0001f600" * small.sentence_characters] * small.sentences,
        options=pb.AlignOptions(word_maps=True),
    )
    assert largest.ByteSize() <= small.message_bytes


def test_a_message_leaves_room_for_more_than_the_image() -> None:
    assert LIMITS.message_bytes > LIMITS.image_bytes + LIMITS.sentences * LIMITS.sentence_characters
