"""docs/errors.md and docs/operations.md say what the gateway tells of failures and of calls."""

import re
from pathlib import Path

import pytest
from google.rpc import error_details_pb2

from tests import repository
from wronglung.errors import WronglungError, leaf_errors
from wronglung.gateway import audit
from wronglung.gateway.status import status_of

PAGE = repository.read(Path("docs/errors.md"))
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([^|]*) \| (\w+) \| ([^|]+) \|$", PAGE, re.M)}
ALWAYS = {"ErrorInfo", "RequestInfo"}


def test_the_page_lists_every_error_once() -> None:
    assert {f"ERROR_CODE_{name}" for name in ROWS} == set(leaf_errors())
    assert len(re.findall(r"^\| `[A-Z_]+` \|", PAGE, re.MULTILINE)) == len(ROWS)


@pytest.mark.parametrize(("code", "error"), leaf_errors().items(), ids=leaf_errors())
def test_an_error_carries_what_the_page_says(code: str, error: type[WronglungError]) -> None:
    status, beside, again, _ = ROWS[code.removeprefix("ERROR_CODE_")]
    assert (status, again == "yes") == (error.grpc_status, error.retryable)
    instance = error("what to do", field="image", retry_after_ms=1000 if error.retryable else 0)
    contract, *details = status_of(instance, "an id").details
    assert contract.type_url.endswith("wronglung.v1.Error")
    kinds = {detail.type_url.rpartition(".")[2] for detail in details}
    assert kinds - ALWAYS == set(re.findall(r"\w+", beside))
    assert kinds >= ALWAYS
    assert kinds <= set(error_details_pb2.DESCRIPTOR.message_types_by_name)


def test_the_fields_of_an_audit_line_are_listed_in_order() -> None:
    page = repository.read(Path("docs/operations.md"))
    table = page[page.index("| `call_id`") : page.index("Health checks and reflection are not audited")]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert tuple(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == audit.FIELDS
