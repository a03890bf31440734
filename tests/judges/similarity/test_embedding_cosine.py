import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judgefleet.errors import ConfigError
from judgefleet.score import Status
from judgefleet.scorer import Need, ScorerKind, missing_need
from judges.catalogue import create_scorer
from judges.models import resolve_model
from judges.similarity.embedding_cosine import EmbeddingCosine


@pytest.fixture(scope="module")
def scorer() -> EmbeddingCosine:
    return EmbeddingCosine("cosine", EmbeddingCosine.Options())


def values(scorer: Any, samples: Any) -> list[float]:
    return [outcomes["cosine"].value for outcomes in scorer.score(samples)]


def test_agrees_with_mean_pooling_done_by_hand(scorer: EmbeddingCosine, samples: Any, pairs: Any) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = resolve_model("embedded/all-minilm-l6-v2").path
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()

    def embed(text: str) -> Any:
        tokens = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            return model(**tokens).last_hidden_state[0].mean(dim=0).numpy()

    def cosine(a: Any, b: Any) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    wanted = [cosine(embed(output), embed(reference)) for output, reference in pairs]
    assert values(scorer, samples(*pairs)) == pytest.approx(wanted, abs=1e-4)


def test_order_of_nearness(scorer: EmbeddingCosine, samples: Any) -> None:
    same, near, far = values(
        scorer,
        samples(
            ("Your refund is on its way.", "Your refund is on its way."),
            ("Your money will be returned soon.", "Your refund is on its way."),
            ("Bananas are yellow.", "Your refund is on its way."),
        ),
    )
    assert same == pytest.approx(1.0, abs=1e-6)
    assert same > near > 0.5 > far > -1


def test_the_same_in_other_words_is_nearer(scorer: EmbeddingCosine, samples: Any, nearer: Any) -> None:
    text, same, other = nearer
    itself, near, far = values(scorer, samples((text, text), (same, text), (other, text)))
    assert itself == pytest.approx(1.0, abs=1e-6)
    assert 1 - 1e-6 > near > far + 0.05


@pytest.mark.parametrize(("output", "reference"), [("", "x"), (" \n", "x"), ("x", ""), ("x", "\t")])
def test_a_blank_text_is_never_passed(scorer: EmbeddingCosine, samples: Any, output: str, reference: str) -> None:
    (sample,) = samples((output, reference))
    assert "is blank" in str(missing_need(scorer.info, sample)) or "has no" in str(missing_need(scorer.info, sample))


@pytest.mark.parametrize(("output", "reference"), [(None, "x"), ("x", None), (None, None)])
def test_a_missing_text_is_not_applicable(scorer: EmbeddingCosine, samples: Any, output: Any, reference: Any) -> None:
    outcome = scorer.score(samples((output, reference)))[0]["cosine"]
    assert (outcome.status, outcome.value) == (Status.NOT_APPLICABLE, None)
    assert outcome.reason


def test_the_value_does_not_depend_on_the_neighbours(scorer: EmbeddingCosine, samples: Any, pairs: Any) -> None:
    together = values(scorer, samples(*pairs))
    assert values(scorer, samples(*reversed(pairs)))[::-1] == pytest.approx(together, abs=1e-5)
    assert [values(scorer, samples(pair))[0] for pair in pairs] == pytest.approx(together, abs=1e-5)
    assert all(value == round(value, 6) for value in together)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(st.text(max_size=40), st.text(max_size=40)))
def test_symmetric_and_bounded(scorer: EmbeddingCosine, samples: Any, pair: tuple[str, str]) -> None:
    there, back = values(scorer, samples(pair, pair[::-1]))
    assert there == pytest.approx(back, abs=1e-6)
    assert -1 <= there <= 1


def test_a_text_longer_than_the_model_reads_is_cut_and_says_so(scorer: EmbeddingCosine, samples: Any) -> None:
    fits, cut, both = scorer.score(
        samples(("word " * 254, "word"), ("word " * 255, "word"), ("word " * 400, "other " * 400))
    )
    assert fits["cosine"].reason is None
    assert cut["cosine"].reason == "output cut to 256 tokens"
    assert both["cosine"].reason == "output and reference cut to 256 tokens"
    assert cut["cosine"].value == fits["cosine"].value


def test_hostile_text_is_scored(scorer: EmbeddingCosine, samples: Any) -> None:
    hostile = ("a" * 2_000_000, "\ud800 \x00 <script>", "hello " * 300_000, "\u202eהחזרה", "👩‍👧" * 500)
    for outcomes in scorer.score(samples(*((text, "hello") for text in hostile))):
        assert outcomes["cosine"].status is Status.OK


def test_a_vector_that_is_no_number_is_an_engine_error(samples: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EmbeddingCosine("cosine", EmbeddingCosine.Options())
    broken.score(samples(("a", "b")))
    for parameter in broken._loaded.parameters():
        parameter.data.fill_(float("nan"))
    outcome = broken.score(samples(("a", "b")))[0]["cosine"]
    assert (outcome.status, outcome.value) == (Status.ENGINE_ERROR, None)


def test_it_pickles_before_and_after_it_loaded(samples: Any) -> None:
    scorer = EmbeddingCosine("cosine", EmbeddingCosine.Options())
    fresh = pickle.dumps(scorer)
    wanted = values(scorer, samples(("hello", "goodbye")))
    used = pickle.dumps(scorer)
    assert len(used) < 20_000
    for twin in (pickle.loads(fresh), pickle.loads(used)):
        assert twin.info == scorer.info
        assert values(twin, samples(("hello", "goodbye"))) == wanted


def test_what_it_states_about_itself(scorer: EmbeddingCosine) -> None:
    assert scorer.info.kind is ScorerKind.EMBEDDING
    assert scorer.info.needs == {Need.OUTPUT, Need.REFERENCE}
    assert scorer.info.config["weights_sha256"] == resolve_model("embedded/all-minilm-l6-v2").digest


def test_the_place_of_the_model_is_no_part_of_the_fingerprint(tmp_path: Any) -> None:
    path = resolve_model("embedded/all-minilm-l6-v2").path
    prints = []
    for parent in ("a", "b"):
        (tmp_path / parent).mkdir()
        (tmp_path / parent / "minilm").symlink_to(path, target_is_directory=True)
        options = {"model": str(tmp_path / parent / "minilm")}
        prints.append(create_scorer("embedding_cosine", None, options).info.fingerprint)
    assert prints[0] == prints[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "embedded/minilm"}, "no embedded model"),
        ({"model": "/no/such/folder"}, "no model folder"),
        ({"model": 5}, "model: found 5"),
        ({"modle": "x"}, "did you mean 'model'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("embedding_cosine", None, options)
