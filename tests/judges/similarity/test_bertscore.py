import math
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judgefleet.errors import ConfigError, RunError
from judgefleet.score import Status
from judgefleet.scorer import Need, ScorerKind
from judges.catalogue import create_scorer
from judges.models import resolve_model
from judges.similarity.baseline import AXES
from judges.similarity.bertscore import BertScore
from judges.similarity.greedy_match import TokenWeights, greedy_match, idf_weights

CORPUS = ["We refund you within five days.", "The parcel is late.", "A storm delayed the parcel.", "hello"]


@pytest.fixture(scope="module")
def plain() -> BertScore:
    return BertScore("b", BertScore.Options())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("idf") / "corpus.txt"
    path.write_text("\n".join(CORPUS) + "\n", encoding="utf-8")
    return path


def oracle(pairs: list[tuple[str, str]], layer: int = 6, idf: Any = False, **more: Any) -> list[list[float]]:
    from bert_score import score

    outputs, references = zip(*pairs, strict=True)
    model = str(resolve_model("embedded/all-minilm-l6-v2").path)
    found = score(list(outputs), list(references), model_type=model, num_layers=layer, idf=idf, device="cpu", **more)
    return [[float(axis[n]) for axis in found] for n in range(len(pairs))]


def values(scorer: Any, samples: Any) -> list[list[float]]:
    return [[outcomes[axis].value for axis in AXES] for outcomes in scorer.score(samples)]


def assert_near(found: list[list[float]], wanted: list[list[float]], within: float = 1e-4) -> None:
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours == pytest.approx(theirs, abs=within)


def oracle_idf() -> dict[int, float]:
    from bert_score.utils import get_idf_dict
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("embedded/all-minilm-l6-v2").path)
    return dict(get_idf_dict(CORPUS, tokenizer, nthreads=0))


def test_agrees_with_bert_score(plain: BertScore, samples: Any, pairs: list[tuple[str, str]]) -> None:
    assert_near(values(plain, samples(*pairs)), oracle(pairs))


@pytest.mark.parametrize("layer", [0, 1, 4])
def test_agrees_with_bert_score_at_other_layers(samples: Any, pairs: list[tuple[str, str]], layer: int) -> None:
    scorer = BertScore("b", BertScore.Options(layer=layer))
    assert_near(values(scorer, samples(*pairs)), oracle(pairs, layer=layer))


def test_agrees_with_bert_score_with_idf(samples: Any, pairs: list[tuple[str, str]], corpus: Path) -> None:
    from collections import defaultdict

    scorer = BertScore("b", BertScore.Options(idf=True, idf_corpus=corpus))
    theirs = defaultdict(lambda: math.log(len(CORPUS) + 1), oracle_idf())
    assert_near(values(scorer, samples(*pairs)), oracle(pairs, idf=theirs))
    assert values(scorer, samples(*pairs)) != values(BertScore("b", BertScore.Options()), samples(*pairs))


# bert-score hands torch an array that pandas 3 made read-only; it only reads it.
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")
def test_agrees_with_bert_score_with_a_baseline(samples: Any, pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "baseline.tsv"
    path.write_text("LAYER,P,R,F\n" + "".join(f"{n},0.2,0.3,0.25\n" for n in range(7)), encoding="utf-8")
    theirs = oracle(pairs, lang="en", rescale_with_baseline=True, baseline_path=str(path))
    named = {"precision": 0.2, "recall": 0.3, "f1": 0.25}
    for baseline in ([0.2, 0.3, 0.25], named):
        scorer = create_scorer("bertscore", None, {"rescale_with_baseline": baseline})
        assert_near(values(scorer, samples(*pairs)), theirs)


@pytest.mark.parametrize("output", ["\u200b\u200b", "\x00", "[SEP]"])
def test_an_output_without_tokens_scores_zero_as_in_bert_score(plain: BertScore, samples: Any, output: str) -> None:
    outcomes = plain.score(samples((output, "hello")))[0]
    assert {o.value for o in outcomes.values()} == {0.0}
    assert outcomes["f1"].reason == "the output has no token that the model knows of"


def test_empty_texts_agree_with_bert_score(plain: BertScore, samples: Any) -> None:
    # bert-score calls a method that transformers 5 no longer has when a text is ""; this one is as empty for the model.
    empty = "\u200b"
    assert values(plain, samples((empty, "hello"), ("", "hello"))) == oracle([(empty, "hello"), (empty, "hello")])
    assert oracle([("hello", empty)]) == [[0.0, 0.0, 0.0]]
    for reference in (empty, ""):
        outcome = plain.score(samples(("hello", reference)))[0]["recall"]
        assert (outcome.value, outcome.reason) == (0.0, "the reference has no token that the model knows of")


def test_tokens_that_all_weigh_nothing_are_not_applicable(samples: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("hello", encoding="utf-8")
    scorer = BertScore("b", BertScore.Options(idf=True, idf_corpus=path))
    outcome = scorer.score(samples(("hello", "goodbye")))[0]["f1"]
    assert outcome.status is Status.NOT_APPLICABLE
    assert "every token of the output" in str(outcome.reason)


def test_a_text_longer_than_the_model_reads_is_cut_and_says_so(plain: BertScore, samples: Any) -> None:
    reasons = [
        outcomes["f1"].reason
        for outcomes in plain.score(
            samples(("word " * 510, "word"), ("word " * 511, "word"), ("word", "word " * 511), ("w " * 600, "v " * 600))
        )
    ]
    assert reasons == [
        None,
        "output cut to 512 tokens",
        "reference cut to 512 tokens",
        "output and reference cut to 512 tokens",
    ]


def test_the_same_in_other_words_is_nearer(plain: BertScore, samples: Any, nearer: Any) -> None:
    text, same, other = nearer
    itself, near, far = values(plain, samples((text, text), (same, text), (other, text)))
    assert itself == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
    assert 1 - 1e-5 > near[2] > far[2] + 0.02


@pytest.mark.parametrize(("output", "reference"), [(None, "x"), ("x", None), (None, None)])
def test_a_missing_text_is_not_applicable(plain: BertScore, samples: Any, output: Any, reference: Any) -> None:
    for outcome in plain.score(samples((output, reference)))[0].values():
        assert (outcome.status, outcome.value) == (Status.NOT_APPLICABLE, None)
        assert outcome.reason


def test_the_value_does_not_depend_on_the_neighbours(plain: BertScore, samples: Any, pairs: Any) -> None:
    together = values(plain, samples(*pairs))
    assert_near(values(plain, samples(*reversed(pairs)))[::-1], together, within=1e-5)
    assert_near([values(plain, samples(pair))[0] for pair in pairs], together, within=1e-5)
    assert_near(values(plain, samples(*(pairs * 12)))[: len(pairs)], together, within=1e-5)


def test_hostile_text_is_scored(plain: BertScore, samples: Any) -> None:
    hostile = ("a" * 2_000_000, "\ud800 \x00 <script>", "hello " * 300_000)
    for outcomes in plain.score(samples(*((text, "hello") for text in hostile))):
        assert all(o.status is Status.OK and math.isfinite(o.value or 0) for o in outcomes.values())


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40)))
def test_precision_and_recall_swap_with_the_texts(plain: BertScore, samples: Any, pair: tuple[str, str]) -> None:
    there, back = plain.score(samples(pair, pair[::-1]))
    if Status.NOT_APPLICABLE not in (there["f1"].status, back["f1"].status):
        assert there["precision"].value == pytest.approx(back["recall"].value, abs=1e-5)
        assert there["recall"].value == pytest.approx(back["precision"].value, abs=1e-5)
        assert there["f1"].value == pytest.approx(back["f1"].value, abs=1e-5)
        assert all(0 <= (outcome.value or 0) <= 1 for outcome in there.values())


def test_it_pickles_before_and_after_it_loaded(samples: Any) -> None:
    scorer = BertScore("b", BertScore.Options())
    fresh = pickle.dumps(scorer)
    wanted = values(scorer, samples(("hello", "goodbye")))
    used = pickle.dumps(scorer)
    assert len(used) < 20_000
    for twin in (pickle.loads(fresh), pickle.loads(used)):
        assert twin.info == scorer.info
        assert values(twin, samples(("hello", "goodbye"))) == wanted


def test_the_model_is_loaded_once_and_not_before_the_first_sample(samples: Any, monkeypatch: Any) -> None:
    scorer = BertScore("b", BertScore.Options())
    loads: list[object] = []
    load = scorer.load

    def counted(folder: Any) -> Any:
        loads.append(folder)
        return load(folder)

    monkeypatch.setattr(scorer, "load", counted)
    assert scorer.score([]) == []
    assert loads == []
    scorer.score(samples(("a", "b")))
    scorer.score(samples(("a", "b")))
    assert len(loads) == 1


def test_other_weights_under_the_same_name_end_the_run(samples: Any) -> None:
    scorer = BertScore("b", BertScore.Options())
    folder = scorer._folder
    scorer._folder = type(folder)(name=folder.name, path=folder.path, digest="0" * 64)
    with pytest.raises(RunError, match="give all machines the same model"):
        scorer.score(samples(("a", "b")))


def test_what_it_states_about_itself(plain: BertScore, corpus: Path, tmp_path: Path) -> None:
    assert plain.info.kind is ScorerKind.EMBEDDING
    assert plain.info.axes == AXES
    assert plain.info.needs == {Need.OUTPUT, Need.REFERENCE}
    assert plain.info.config["weights_sha256"] == resolve_model("embedded/all-minilm-l6-v2").digest
    assert plain.info.config["layer"] == 6
    other = tmp_path / "other.txt"
    other.write_text("Other words.", encoding="utf-8")
    found = {
        BertScore("b", options).info.fingerprint
        for options in (
            BertScore.Options(),
            BertScore.Options(layer=5),
            BertScore.Options(idf=True, idf_corpus=corpus),
            BertScore.Options(idf=True, idf_corpus=other),
            BertScore.Options.model_validate({"rescale_with_baseline": [0.1, 0.1, 0.1]}),
        )
    }
    assert len(found) == 5
    assert BertScore("b", BertScore.Options(layer=6)).info.fingerprint == plain.info.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 7}, "found layer 7; .* has the layers 0 to 6"),
        ({"layer": -1}, "layer: found -1"),
        ({"idf": True}, "belong together"),
        ({"idf_corpus": "corpus.txt"}, "belong together"),
        ({"idf": True, "idf_corpus": "no/such/corpus.txt"}, "cannot be read as text"),
        ({"rescale_with_baseline": [0.1, 0.2]}, "rescale_with_baseline"),
        ({"rescale_with_baseline": [0.1, 0.2, 1.0]}, "less than 1"),
        ({"rescale_with_baseline": {"precision": 0.1}}, "is missing"),
        ({"model": "embedded/all-minilm"}, "no embedded model"),
        ({"model": "/no/such/folder"}, "no model folder"),
        ({"layers": 3}, "did you mean 'layer'"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create_scorer("bertscore", None, options)


def test_an_idf_corpus_without_text(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no text"):
        create_scorer("bertscore", None, {"idf": True, "idf_corpus": str(path)})


def test_greedy_match_by_hand() -> None:
    import torch

    x, y, between, padding = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.0, 0.0]
    candidates = torch.tensor([[x, between], [x, padding]])
    references = torch.tensor([[x, y], [[-1.0, 0.0], padding]])
    weights = torch.tensor([[1.0, 3.0], [1.0, 0.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    near, opposite = greedy_match(candidates, references, weights).tolist()
    assert near == pytest.approx([(1.0 + 3 * 0.8) / 4, (1.0 + 0.8) / 2, 2 * 0.85 * 0.9 / 1.75])
    assert opposite == [0.0, 0.0, 0.0]


def test_idf_weights_by_hand() -> None:
    weights = idf_weights([[0, 5, 5, 6], [0, 5], [0]], framing={0})
    assert weights.of([0, 5, 6, 7]) == pytest.approx([0.0, math.log(4 / 3), math.log(2), math.log(4)])
    assert TokenWeights(framing={0}, known={}).of([0, 1]) == [0.0, 1.0]
