"""Files that people bring, as an audit: every form, and what cannot be used."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from calibration.audit import Label
from calibration.audit_folder import Audit
from calibration.consensus import consensus_of
from calibration.importing import Imported, import_files
from judgefleet.errors import ConfigError


def write(path: Path, rows: list[Any]) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


def bring(tmp_path: Path, *files: list[Any]) -> tuple[Audit, Imported]:
    audit = Audit(tmp_path / "audit")
    uris = [write(tmp_path / f"file{n}.jsonl", rows) for n, rows in enumerate(files)]
    return audit, import_files(audit, uris)


def pair(n: int, label: str | None, votes: list[str] | None = None, **more: Any) -> dict[str, Any]:
    texts = {"question": f"q{n}", "response_a": f"a{n}", "response_b": f"b{n}"}
    return {"pair_id": f"p{n}", **texts, "human_label": label, "human_votes": votes or [], **more}


def test_votes_become_raters_and_their_plurality_the_label(tmp_path: Path) -> None:
    audit, found = bring(
        tmp_path, [pair(1, "A", ["A", "A", "B"]), pair(2, "TIE", ["A", "B"], annotators=["ana", "ben"]), pair(3, "B")]
    )
    assert not found.rejects
    assert {label.rater for label in audit.labels} == {"vote-1", "vote-2", "vote-3", "ana", "ben", "published"}
    assert {i: c.label for i, c in consensus_of(audit.labels, "pair").items()} == {"p1": "A", "p2": "TIE", "p3": "B"}


def test_a_published_label_that_the_votes_do_not_give_is_kept_as_an_adjudication(tmp_path: Path) -> None:
    audit, _ = bring(tmp_path, [pair(1, "B", ["A", "A", "B"])])
    assert consensus_of(audit.labels, "pair")["p1"].label == "B"


def test_ratings_are_words_or_numbers_and_several_numbers_are_averaged(tmp_path: Path) -> None:
    rows = [
        {"item_id": "1", "response": "x", "human_label": None, "human_score": 1.67, "human_votes": [3, 1, 1]},
        {"item_id": "2", "response": "", "human_score": 0, "scale": [0, 5]},
    ]
    audit, _ = bring(tmp_path, rows)
    said = consensus_of(audit.labels, "rating")
    assert said["1"].score == pytest.approx(5 / 3)
    assert said["2"].score == 0
    assert audit.items["2"].responses == ("",)
    assert audit.info.scale == (0.0, 5.0)


def test_verdicts_follow_their_items_and_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    verdicts = [{"pair_id": "p1", "judge": "j", "prompt": "x", "verdict_ab": "A", "verdict_ba": None}]
    audit, _ = bring(tmp_path, [pair(1, "A")], [*verdicts, *verdicts])
    before = {path: path.read_bytes() for path in (tmp_path / "audit").rglob("*") if path.is_file()}
    import_files(audit, [str(tmp_path / "file0.jsonl"), str(tmp_path / "file1.jsonl")])
    assert {path: path.read_bytes() for path in before} == before
    [said] = audit.verdicts
    assert (said.verdict_ab, said.verdict_ba, said.source) == ("A", None, "file1")


TRACING: dict[str, dict[str, Any]] = {
    "langfuse": {"id": "s", "trace_id": "t1", "source": "ANNOTATION", "data_type": "NUMERIC", "value": 4, "name": "n"},
    "langfuse boolean": {
        "trace_id": "t1",
        "source": "ANNOTATION",
        "data_type": "BOOLEAN",
        "value": 1,
        "author_user_id": "u",
    },
    "phoenix": {"span_id": "t1", "name": "n", "annotator_kind": "HUMAN", "result": {"label": "good", "score": 1}},
    "mlflow": {"trace_id": "t1", "source": {"source_type": "HUMAN", "source_id": "ana"}, "feedback": {"value": True}},
}


@pytest.mark.parametrize(
    ("form", "said"), [("langfuse", 4), ("langfuse boolean", "yes"), ("phoenix", "good"), ("mlflow", "yes")]
)
def test_human_labels_of_tracing_tools_are_labels(tmp_path: Path, form: str, said: Any) -> None:
    audit, found = bring(tmp_path, [TRACING[form]])
    [label] = audit.labels
    assert (label.label or label.score) == said
    assert audit.items["t1"].trace_ids == ("t1",)
    assert not found.rejects


def test_scores_that_no_person_gave_are_counted_and_passed_over(tmp_path: Path) -> None:
    machine = [
        TRACING["langfuse"] | {"source": "EVAL"},
        TRACING["phoenix"] | {"annotator_kind": "LLM"},
        TRACING["mlflow"] | {"source": {"source_type": "LLM_JUDGE"}},
    ]
    audit, found = bring(tmp_path, [TRACING["phoenix"], *machine])
    assert found.not_human == 3
    assert len(audit.labels) == 1


def test_a_spreadsheet_adds_labels_of_several_raters(tmp_path: Path) -> None:
    audit, _ = bring(tmp_path, [pair(1, None), pair(2, None)])
    sheet = tmp_path / "sheet.csv"
    sheet.write_text('\ufeffpair_id,rater,label,note\np1,ana,a,"one, two"\np2,ben,tie,\n', encoding="utf-8")
    import_files(audit, [str(sheet)])
    assert [(x.item_id, x.rater, x.label, x.note) for x in audit.labels] == [
        ("p1", "ana", "A", "one, two"),
        ("p2", "ben", "TIE", None),
    ]
    assert audit.items["p1"].responses == ("a1", "b1")


def test_parquet_and_a_json_list_are_read_as_lines_are(tmp_path: Path) -> None:
    rows = [{"item_id": str(n), "label": "yes"} for n in range(3)]
    pd.DataFrame(rows).to_parquet(tmp_path / "x.bin")
    (tmp_path / "y.bin").write_text(json.dumps({"data": rows}))
    for name in ("x.bin", "y.bin"):
        audit = Audit(tmp_path / name.replace(".", "-"))
        assert len(import_files(audit, [str(tmp_path / name)]).items) == 3


BAD = {
    "a label that a pair has not": (pair(1, "C"), "a pair is labelled A, B or TIE"),
    "no id": ({"question": "q", "human_label": "A", "response_a": "x"}, "a row needs pair_id, item_id or trace_id"),
    "not JSON": ("{", "an object with named fields belongs here"),
    "a list": ("[1]", "an object with named fields belongs here"),
    "a chance above one": (pair(1, "A", inclusion_probability=2), "inclusion probability"),
    "a verdict about nothing": ({"judge": "j", "verdict_ab": "A"}, "a verdict needs pair_id or item_id"),
    "a verdict that is none": ({"judge": "j", "pair_id": "p", "verdict_ab": "left"}, "a pair is labelled A, B or TIE"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_row_that_cannot_be_used_is_listed_with_its_place_and_the_rest_is_read(tmp_path: Path, case: str) -> None:
    row, why = BAD[case]
    audit, found = bring(tmp_path, [pair(9, "A"), row])
    assert len(found.rejects) == 1
    assert why in found.rejects[0]
    assert "line 2" in found.rejects[0]
    assert list(audit.items) == ["p9"]


def test_other_answers_under_a_known_id_are_rejected_and_the_first_kept(tmp_path: Path) -> None:
    audit, found = bring(tmp_path, [pair(1, "A"), pair(1, "A") | {"response_a": "other"}])
    assert "was there before with other answers" in found.rejects[0]
    assert audit.items["p1"].responses == ("a1", "b1")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([pair(1, "A"), {"item_id": "x", "label": "yes"}], "found pairs and ratings"),
        ([{"judge": "j", "pair_id": "p", "verdict_ab": "A"}], "found verdicts and no labels"),
    ],
)
def test_what_makes_no_audit_is_an_error_that_says_what_to_do(tmp_path: Path, rows: list[Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        bring(tmp_path, rows)


def test_a_rater_changes_skips_and_withdraws_and_the_last_word_holds(tmp_path: Path) -> None:
    audit, _ = bring(tmp_path, [pair(1, None), pair(2, None), pair(3, None)])
    for item, said in (("p1", "A"), ("p2", "B"), ("p3", "A"), ("p1", "B")):
        audit.append_label(Label(item_id=item, rater="Ana B.", label=said, order=(1, 0)))
    audit.append_label(Label(item_id="p2", rater="Ana B.", withdrawn=True))
    audit.append_label(Label(item_id="p3", rater="Ana B.", skipped=True))
    assert {x.item_id: (x.label, x.order) for x in audit.labels} == {"p1": ("B", (1, 0))}
    assert len(audit.label_log) == 6


def test_a_verdict_over_both_orders_keeps_whether_they_agreed(tmp_path: Path) -> None:
    known = {"judge": "j", "verdict_combined": "A"}
    verdicts = [
        {"pair_id": "p1", "order_inconsistent": False, **known},
        {"pair_id": "p2", "order_inconsistent": True, **known},
    ]
    audit, _ = bring(tmp_path, [pair(1, "A"), pair(2, "A")], verdicts)
    assert [(v.combined, v.order_inconsistent) for v in audit.verdicts] == [("A", False), ("A", True)]


def test_a_score_of_nothing_is_a_score(tmp_path: Path) -> None:
    audit, _ = bring(tmp_path, [{"item_id": "1", "human_score": 0.0}])
    [label] = audit.labels
    assert label.score == 0.0


def test_files_of_one_name_from_two_folders_are_two_files_and_no_raters_file_is_overwritten(tmp_path: Path) -> None:
    audit, _ = bring(tmp_path, [pair(1, None)])
    audit.append_label(Label(item_id="p1", rater="ana", label="A"))
    for folder, rater in (("one", "ben"), ("two", "cleo")):
        (tmp_path / folder).mkdir()
        import_files(audit, [write(tmp_path / folder / "ana.jsonl", [{"pair_id": "p1", "rater": rater, "label": "B"}])])
    assert {label.rater for label in audit.labels} == {"ana", "ben", "cleo"}


def test_the_label_of_an_item_that_is_rejected_is_not_given_to_the_one_that_was_kept(tmp_path: Path) -> None:
    audit, found = bring(tmp_path, [pair(1, "A")], [pair(1, "B") | {"response_a": "other"}])
    assert len(found.rejects) == 1
    assert consensus_of(audit.labels, "pair")["p1"].label == "A"


def test_the_latest_adjudication_decides_whatever_its_file_is_called() -> None:
    labels = [
        Label(item_id="1", rater="zoe", label="no", adjudicated=True, at="2026-01-01"),
        Label(item_id="1", rater="ana", label="yes", adjudicated=True, at="2026-02-01"),
    ]
    assert {consensus_of(order, "rating")["1"].label for order in (labels, labels[::-1])} == {"yes"}


def test_labels_of_several_names_are_chosen_by_name(tmp_path: Path) -> None:
    rows = [
        {"trace_id": "t1", "name": name, "annotator_kind": "HUMAN", "result": {"label": said}}
        for name, said in (("correct", "yes"), ("concise", "no"))
    ]
    with pytest.raises(ConfigError, match="several names: concise, correct"):
        bring(tmp_path, rows)
    audit = Audit(tmp_path / "chosen")
    found = import_files(audit, [write(tmp_path / "x.jsonl", rows)], name="correct")
    assert [label.label for label in audit.labels] == ["yes"]
    assert found.other_names == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"traceId": "t1", "source": "ANNOTATION", "dataType": "CATEGORICAL", "stringValue": "good"}, "good"),
        ({"trace_id": "t1", "source": "ANNOTATION", "data_type": "BOOLEAN", "value": "0"}, "no"),
    ],
)
def test_langfuse_in_its_own_spelling_and_as_a_spreadsheet(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    audit, _ = bring(tmp_path, [row])
    assert [(label.item_id, label.label) for label in audit.labels] == [("t1", said)]


def test_verdicts_about_ratings_and_flips_written_as_text(tmp_path: Path) -> None:
    verdicts: list[Any] = [
        {"item_id": "1", "judge": "j", "verdict_ab": "yes"},
        {"item_id": "2", "judge": "j", "verdict": "no", "score": 2},
    ]
    audit, _ = bring(tmp_path, [{"item_id": "1", "label": "yes"}, {"item_id": "2", "label": "no"}], verdicts)
    assert [(v.verdict_ab, v.score) for v in audit.verdicts] == [("yes", None), ("no", 2.0)]
    texts = {"pair_id": "p1", "judge": "j", "verdict_combined": "A", "order_inconsistent": "False"}
    other = Audit(tmp_path / "pairs")
    import_files(other, [write(tmp_path / "p.jsonl", [pair(1, "A")]), write(tmp_path / "v.jsonl", [texts])])
    assert [v.order_inconsistent for v in other.verdicts] == [False]


@pytest.mark.parametrize(
    "row",
    [
        pair(1, "A") | {"human_votes": 3},
        {"trace_id": "t", "source": {"source_type": "HUMAN"}, "feedback": "good"},
        {"item_id": "1", "label": "yes", "scale": ["low", {"a": 1}]},
    ],
)
def test_a_value_of_another_form_is_a_reject_and_no_crash(tmp_path: Path, row: dict[str, Any]) -> None:
    base = pair(9, "A") if "pair_id" in row else {"item_id": "9", "label": "yes"}
    _, found = bring(tmp_path, [base, row])
    assert len(found.rejects) == 1
