"""The handler's metrics: noted in a worker, added up in the backend, shown as TorchServe shows them."""

from prometheus_client import generate_latest

from tests.repository import ROOT
from wronglung.plain.reports import Notes, Page

DECLARED = ROOT / "deploy" / "torchserve" / "metrics.yaml"


def test_what_a_worker_notes_is_added_up_by_its_kind() -> None:
    notes, page = Notes(), Page(DECLARED)
    seconds, hits, memory = (
        notes.get_metric(f"wronglung_handler_{name}", "kind")
        for name in ("decode_seconds", "cache_hits_total", "memory_bytes")
    )
    for _ in range(2):
        seconds.add_or_update(0.03, ["encoder"])
        hits.add_or_update(3, ["encoder", "image"])
        memory.add_or_update(1000, ["encoder"])
        page.add(notes.take())
    shown = generate_latest(page.registry).decode()
    assert 'wronglung_handler_decode_seconds_count{ModelName="encoder"} 2.0' in shown
    assert 'wronglung_handler_cache_hits_total{Cache="image",ModelName="encoder"} 6.0' in shown
    assert 'wronglung_handler_memory_bytes{ModelName="encoder"} 1000.0' in shown


def test_nothing_is_told_twice() -> None:
    notes = Notes()
    notes.get_metric("wronglung_handler_batch_size").add_or_update(1, ["encoder"])
    assert len(notes.take()) == 1
    assert notes.take() == []
