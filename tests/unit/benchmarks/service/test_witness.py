"""Every answer is held against the first."""

from benchmarks.service.witness import Roll, Seen, Witness, stale
from wronglung.v1 import alignment_pb2 as pb

REQUEST = pb.AlignRequest(sentences=["a"])


def answer(opt_out: float, request_id: str = "") -> pb.AlignResponse:
    result = pb.SentenceResult(alignment=pb.SentenceAlignment(opt_out_mass=opt_out))
    return pb.AlignResponse(request_id=request_id, results=[result])


def test_the_same_maps_are_well_whatever_their_request_is_called() -> None:
    witness = Witness()
    assert [witness.judge(REQUEST, answer(0.5, request_id)) for request_id in "ab"] == ["OK", "OK"]


def test_another_float_is_seen() -> None:
    witness = Witness()
    assert [witness.judge(REQUEST, answer(value)) for value in (0.5, 0.25)] == ["OK", "DIFFERENT"]


def test_a_sentence_without_a_map_is_seen() -> None:
    assert Witness().judge(REQUEST, pb.AlignResponse(results=[pb.SentenceResult(error=pb.Error())])) == "INCOMPLETE"
    assert Witness().judge(REQUEST, pb.AlignResponse()) == "INCOMPLETE"


def test_a_version_that_answers_long_after_it_was_rolled_away_is_stale() -> None:
    rolls = [Roll(0, "1.0"), Roll(100, "1.1")]
    seen = [Seen(50, "m", "1.0"), Seen(103, "m", "1.0"), Seen(120, "m", "1.1"), Seen(120, "other", "1.0")]
    assert stale(seen, rolls, "m", within_s=5) == 0
    assert stale([*seen, Seen(130, "m", "1.0")], rolls, "m", within_s=5) == 1
