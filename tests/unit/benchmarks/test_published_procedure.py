"""What the engine is timed against is the published procedure: it gives the published values."""

import numpy as np

from benchmarks.published_procedure import PublishedProcedure
from tests.golden_gloria import golden_case
from wronglung.model.network import AlignmentNetwork


def test_it_gives_the_published_maps_and_similarities() -> None:
    case = golden_case("encoder")
    network, tokenizer = case.checkpoint.network, case.checkpoint.tokenizer
    assert isinstance(network, AlignmentNetwork)
    pieces = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    procedure = PublishedProcedure(network, case.checkpoint.config, case.tokenize, pieces)
    for i, pixels in enumerate(case.images):
        for j, answer in enumerate(procedure.report(pixels, case.sentences)):
            np.testing.assert_allclose(answer.map, case.values[f"map_{i}_{j}"], rtol=0, atol=2e-5)
            np.testing.assert_allclose(answer.local_similarity, case.values[f"local_{j}"][i], rtol=0, atol=1e-5)
            np.testing.assert_allclose(answer.global_similarity, case.values[f"global_{j}"][i], rtol=0, atol=1e-5)
