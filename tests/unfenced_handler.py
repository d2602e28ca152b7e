"""A handler without the fences of ours: it does what TorchServe's own examples do, and TorchServe does what it does.

A word of the first sentence says what it does; without one of them it answers like a model.
"""

import logging
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.v1 import alignment_pb2 as pb

STAY_DEAD = "UNFENCED_STAY_DEAD"
"""Names, in the environment, a file: while it is there, no worker starts."""
NOTES = "UNFENCED_NOTES"
"""Names, in the environment, a file: the first sentence of every request that is worked on gets a line there."""
TOO_LARGE = 9 * 1024 * 1024


class UnfencedHandler:
    """Sets statuses, raises, answers at any length, and says nothing of streams."""

    def initialize(self, context: Any) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        if Path(os.environ[STAY_DEAD]).exists():
            raise RuntimeError("this worker is to stay dead")

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:
        return [self._answer(index, entry, context) for index, entry in enumerate(data)]

    def _answer(self, index: int, entry: Mapping[str, Any], context: Any) -> bytes:
        request = pb.AlignRequest.FromString(bytes(entry[REQUEST_ENTRY]))
        with Path(os.environ[NOTES]).open("a") as notes:
            notes.write(f"{request.sentences[0]}\n")
        match request.sentences[0]:
            case "headers":
                return repr(context.get_all_request_header(index)).encode()
            case "status":
                context.set_response_status(400, "the image is broken", index)
                return b"a status was set"
            case "raise":
                raise ValueError("the image is broken")
            case "large":
                return bytes(TOO_LARGE)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "slow":
                time.sleep(1)
        request_id = RequestContext.from_bytes(entry[CONTEXT_ENTRY]).request_id
        results = [pb.SentenceResult(alignment=pb.SentenceAlignment()) for _ in request.sentences]
        response = pb.AlignResponse(request_id=request_id, results=results)
        return pb.AlignStreamResponse(request_id=request_id, response=response).SerializeToString()
