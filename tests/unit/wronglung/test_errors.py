"""Specification of the error tree."""

import pytest

from wronglung.errors import ImageCorrupt, InvalidRequest, Overloaded, WronglungError, leaf_errors
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import error_from_pb, error_to_pb


def test_every_code_of_the_contract_has_exactly_one_class() -> None:
    codes = set(pb.ErrorCode.keys()) - {"ERROR_CODE_UNSPECIFIED"}
    assert set(leaf_errors()) == codes
    classes = list(leaf_errors().values())
    assert len(set(classes)) == len(classes)


@pytest.mark.parametrize("cls", leaf_errors().values(), ids=lambda cls: cls.__name__)
def test_every_error_survives_the_wire(cls: type[WronglungError]) -> None:
    sent = cls("what is wrong; what to do", field="image", retry_after_ms=250)
    received = error_from_pb(error_to_pb(sent))
    assert type(received) is cls
    assert (received.message, received.field, received.retry_after_ms) == (sent.message, "image", 250)


def test_a_code_of_a_newer_server_becomes_the_base_class() -> None:
    assert type(error_from_pb(pb.Error(code=999, message="new"))) is WronglungError


@pytest.mark.parametrize("cls", leaf_errors().values(), ids=lambda cls: cls.__name__)
def test_only_what_repeating_can_mend_is_retryable(cls: type[WronglungError]) -> None:
    assert not (issubclass(cls, InvalidRequest) and cls.retryable)
    assert cls.grpc_status == "INVALID_ARGUMENT" or not issubclass(cls, InvalidRequest)


def test_an_error_names_the_field_at_fault() -> None:
    assert str(ImageCorrupt("cut off", field="image")) == "image: cut off"
    assert str(Overloaded("full")) == "full"
