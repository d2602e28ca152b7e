"""Every failure that a server can report comes with what to do about it."""

from harness.report.remedies import REMEDIES, remedy
from wronglung.errors import leaf_errors


def test_every_code_has_a_remedy_and_no_other() -> None:
    assert {f"ERROR_CODE_{code}" for code in REMEDIES} == set(leaf_errors())


def test_it_is_found_with_and_without_the_prefix() -> None:
    assert remedy("ERROR_CODE_OVERLOADED") == remedy("OVERLOADED") != ""
    assert remedy("SOMETHING_NEW") == ""
