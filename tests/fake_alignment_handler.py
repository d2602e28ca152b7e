"""A handler without an engine, for tests of what is around it: a worker with it starts in a third of the time."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.v1 import alignment_pb2 as pb


class FakeHandler:
    """Answers every sentence by an empty alignment; takes half a second for a sentence that says "slow"."""

    def initialize(self, context: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)
        self.identity = pb.ModelIdentity(
            name=context.model_name, version=str(context.manifest["model"]["modelVersion"])
        )

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:
        for index in range(len(data)):
            context.set_response_header(index, "ts_stream_next", "false")
        return [self._answer(entry) for entry in data]

    def _answer(self, entry: Mapping[str, Any]) -> bytes:
        request = pb.AlignRequest.FromString(bytes(entry[REQUEST_ENTRY]))
        if "slow" in request.sentences:
            time.sleep(0.5)
        request_id = RequestContext.from_bytes(entry[CONTEXT_ENTRY]).request_id
        results = [pb.SentenceResult(alignment=pb.SentenceAlignment()) for _ in request.sentences]
        response = pb.AlignResponse(request_id=request_id, results=results, model=self.identity)
        return pb.AlignStreamResponse(request_id=request_id, response=response).SerializeToString()
