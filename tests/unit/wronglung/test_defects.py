"""What a log may say of an exception."""

from wronglung.defects import where


def fail(text: str) -> None:
    raise ValueError(f"cannot read {text}")


def caught(text: str) -> BaseException:
    try:
        try:
            fail(text)
        except ValueError as error:
            raise KeyError(text) from error
    except KeyError as error:
        return error


def test_says_kind_and_place_of_an_exception_and_its_cause_and_never_what_it_says() -> None:
    said = where(caught("a word of a report"))
    assert "a word of a report" not in said
    assert said.splitlines()[0] == "KeyError"
    assert "because of ValueError" in said
    assert "test_defects.py" in said
    assert "in fail" in said


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert where(first).count("ValueError") == 4
