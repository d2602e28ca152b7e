"""Specification of what TorchServe's failures mean for a caller."""

import grpc
import pytest

from wronglung import errors
from wronglung.gateway.upstream import typed_error

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("status", "details", "expected"),
    [
        (Code.DEADLINE_EXCEEDED, "Deadline Exceeded", errors.DeadlineExceeded),
        (
            Code.CANCELLED,
            "Stream removed (RST_STREAM (Received RST_STREAM with error code 8))",
            errors.DeadlineExceeded,
        ),
        (Code.INTERNAL, 'Model "encoder" has no worker to serve inference request', errors.Overloaded),
        (Code.INTERNAL, "Worker died.", errors.ModelUnavailable),
        (Code.INTERNAL, "Model not found: encoder", errors.ModelUnavailable),
        (Code.RESOURCE_EXHAUSTED, "", errors.ModelUnavailable),
        (Code.UNAVAILABLE, "failed to connect to all addresses", errors.ModelUnavailable),
        (Code.UNAVAILABLE, "Prediction failed", errors.InternalError),
        (Code.UNKNOWN, "", errors.InternalError),
    ],
)
def test_a_failure_of_torchserve_becomes_one_of_our_errors(
    status: grpc.StatusCode, details: str, expected: type[errors.WronglungError]
) -> None:
    error = typed_error(status, details, "r7")
    assert type(error) is expected
    if expected is errors.InternalError:
        assert "r7" in error.message
