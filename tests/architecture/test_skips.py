"""A skip names what was missing, and is a failure where nothing may be missing."""

from pathlib import Path

import pytest

from tests import needs

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
SKIPPING_TESTS = """
    import pytest

    def test_gpu():
        pytest.skip("needs: gpu (none here)")

    def test_node():
        pytest.skip("needs: node")

    def test_mood():
        pytest.skip("not today")
"""


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("Skipped: needs: gpu (no CUDA device)", "gpu"),
        ("needs: node", "node"),
        ("because I felt like it", None),
        ("", None),
    ],
)
def test_the_reason_names_what_was_missing(reason: str, name: str | None) -> None:
    assert needs.named_in(reason) == name


def test_a_tool_that_exists_is_found_and_a_missing_one_skips() -> None:
    assert needs.tool("surely-not-there", "python3").endswith("python3")
    with pytest.raises(pytest.skip.Exception, match=r"^needs: surely-not-there"):
        needs.tool("surely-not-there")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("WRONGLUNG_CI", raising=False)
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(SKIPPING_TESTS)
    return pytester


def test_skips_are_only_listed_on_an_ordinary_machine(suite: pytest.Pytester) -> None:
    suite.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(skipped=3)


@pytest.mark.parametrize("variable", ["CI", "WRONGLUNG_CI"])
def test_only_allowed_skips_pass_where_every_tool_is_promised(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "true")
    suite.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(skipped=1, failed=2)


def test_a_file_that_skips_itself_is_held_to_the_same_rule(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(test_whole_file="import pytest\npytest.importorskip('surely_not_there')\n")
    monkeypatch.setenv("CI", "true")
    suite.runpytest_inprocess("-p", "no:asyncio", "test_whole_file.py").assert_outcomes(errors=1)
