"""What people answer is what is stored: in the item's own terms, line by line, and nothing is lost."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from calibration.audit import AuditItem, Label
from calibration.audit_folder import Audit
from jobs.labelling.order import item_key, shown_order
from judgefleet.errors import ConfigError

MakeAudit = Callable[..., Audit]
Open = Callable[..., Callable[..., Any]]
Lines = Callable[[str], list[dict[str, Any]]]


def shown(text: str) -> list[str]:
    return re.findall(r"(first|second) response", text)


class TestPairs:
    def test_answers_are_stored_in_terms_of_the_item(
        self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines
    ) -> None:
        ana = open_desk(make_audit())("ana")
        seen = []
        for number in range(10):
            seen.append(shown(ana.get().text))
            ana.answer("123"[number % 3], note=f" note {number} ")
        for number, (line, order) in enumerate(zip(label_lines("ana"), seen, strict=True)):
            assert line["order"] == [0 if word == "first" else 1 for word in order]
            better = order[number % 3] if number % 3 < 2 else "tie"
            assert line["label"] == {"first": "A", "second": "B", "tie": "TIE"}[better]
            assert (line["rater"], line["note"]) == ("ana", f"note {number}")
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["at"])
        assert "Done, thank you" in ana.get().text

    def test_the_order_is_the_same_after_a_reload_and_differs_between_raters(
        self, make_audit: MakeAudit, open_desk: Open
    ) -> None:
        enter = open_desk(make_audit(20))
        orders = {}
        for name in ("ana", "bo"):
            person, found = enter(name), {}
            for _ in range(20):
                path = person.item()
                found[path] = shown(person.get(path).text)
                assert shown(person.get(path).text) == found[path]
                person.answer("1")
            orders[name] = found
        assert list(orders["ana"]) != list(orders["bo"])
        assert set(orders["ana"]) == set(orders["bo"])
        assert 4 < sum(orders["ana"][path] != orders["bo"][path] for path in orders["ana"]) < 16

    def test_each_response_stands_first_about_half_of_the_time(self) -> None:
        first = Counter(shown_order("audit", f"rater-{n % 7}", f"item-{n}", 2)[0] for n in range(4000))
        assert abs(first[0] - 2000) < 130  # four standard deviations

    def test_an_audit_without_ties_offers_none(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit(2, labels=["A", "B"]))("ana")
        assert "Tie" not in ana.get().text
        assert ana.answer("3").status_code == 400


class TestRatings:
    def test_labels_are_buttons(self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines) -> None:
        items = [AuditItem(item_id=f"q{n}", responses=(f"answer {n}",), reference="the truth") for n in range(3)]
        ana = open_desk(make_audit(items, kind="rating", labels=["grounded", "not grounded"]))("ana")
        page = ana.get().text
        assert 'data-keys="2"' in page
        assert "not grounded" in page
        assert "the truth" in page
        ana.answer("2")
        (line,) = label_lines("ana")
        assert line["label"] == "not grounded"
        assert "order" not in line
        assert "score" not in line

    @pytest.mark.parametrize(
        ("scale", "good", "bad"), [((1, 5), "4", "6"), ((0, 10), "10", "11"), ((0, 100), "73", "7.5")]
    )
    def test_scores_are_whole_numbers_on_the_scale(
        self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines, scale: Any, good: str, bad: str
    ) -> None:
        items = [AuditItem(item_id=f"q{n}", responses=("answer",)) for n in range(2)]
        ana = open_desk(make_audit(items, kind="rating", labels=[], scale=scale))("ana")
        assert ana.answer(bad).status_code == 400
        assert ana.answer(good).status_code == 200
        assert [line["score"] for line in label_lines("ana")] == [int(good)]

    @pytest.mark.parametrize("scale", [None, (1, 1), (5, 1), (0, float("inf")), (0, 1e9)])
    def test_an_audit_that_does_not_say_what_may_be_answered(
        self, make_audit: MakeAudit, open_desk: Open, scale: Any
    ) -> None:
        items = [AuditItem(item_id="q", responses=("answer",))]
        with pytest.raises(ConfigError, match=r"audit\.yaml"):
            open_desk(make_audit(items, kind="rating", labels=[], scale=scale))


class TestSkipAndUndo:
    def test_skipped_items_come_back_once_at_the_end(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit(3))("ana")
        skipped = ana.item()
        assert "1 skipped" in ana.post(skipped, {"skip": "yes", "lines": "0"}).text
        ana.answer("1")
        ana.answer("1")
        assert ana.item() == skipped
        done = ana.post(skipped, {"skip": "yes", "lines": "1"})
        assert done.url.path == "/done"
        assert f'href="{skipped}"' in done.text
        ana.post(skipped, {"answer": "2"})
        assert "0</strong>skipped" in ana.get("/done").text

    def test_a_skip_that_is_sent_twice_skips_once(
        self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines
    ) -> None:
        ana = open_desk(make_audit(2))("ana")
        path = ana.item()
        for _ in range(2):
            ana.post(path, {"skip": "yes", "lines": "0"})
        assert len(label_lines("ana")) == 1
        ana.answer("1")
        assert ana.item() == path

    def test_undo_goes_back_answer_by_answer(self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines) -> None:
        audit = make_audit(4)
        ana = open_desk(audit)("ana")
        paths = []
        for value in "12":
            paths.append(ana.item())
            ana.answer(value, note="kept")
        paths.append(ana.item())
        ana.post(paths[-1], {"skip": "yes"})
        for path in reversed(paths):
            back = ana.post("/undo")
            assert back.url.path == path
        assert "kept" in back.text
        assert ana.post("/undo").url.path == paths[0]
        assert audit.labels == []
        assert [line.get("withdrawn", False) for line in label_lines("ana")] == [False] * 3 + [True] * 3
        assert ana.item() == paths[0]

    def test_a_skip_that_was_taken_back_still_comes_back_later(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit(2))("ana")
        path = ana.item()
        ana.post(path, {"skip": "yes"})
        ana.post("/undo")
        ana.post(path, {"skip": "yes"})
        ana.answer("1")
        assert ana.item() == path

    def test_an_undo_that_is_sent_twice_takes_back_one(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit(3)
        ana = open_desk(audit)("ana")
        ana.answer("1")
        ana.answer("2")
        for _ in range(2):
            ana.post("/undo", {"lines": "2"})
        assert len(audit.labels) == 1


class TestHarmless:
    def test_the_same_twice_is_one_line_and_a_change_is_another(
        self, make_audit: MakeAudit, open_desk: Open, label_lines: Lines
    ) -> None:
        audit = make_audit()
        ana = open_desk(audit)("ana")
        path = ana.item()
        for value in "1122":
            ana.post(path, {"answer": value})
        assert len(label_lines("ana")) == 2
        assert [label.label for label in audit.labels] == [label_lines("ana")[1]["label"]]
        assert "You answered <strong><bdi>Answer 2 is better" in ana.get(path).text

    @pytest.mark.parametrize("answer", ["", "4", "A", "TIE", "1 ", "<script>", "1" * 5000])
    def test_an_answer_that_is_not_allowed(self, make_audit: MakeAudit, open_desk: Open, answer: str) -> None:
        audit = make_audit()
        reply = open_desk(audit)("ana").answer(answer)
        assert reply.status_code == 400
        assert "allowed: 1, 2, 3" in reply.text
        assert audit.label_log == []

    def test_an_item_that_is_not_in_the_audit(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit())("ana")
        for key in ("0" * 16, "secret-id-1", "..%2f..%2faudit.yaml"):
            reply = ana.post(f"/item/{key}", {"answer": "1"})
            assert reply.status_code in (400, 404)
        assert "not among those to label here" in ana.post(f"/item/{'0' * 16}", {"answer": "1"}).text
        assert ana.get(f"/item/{'0' * 16}").status_code == 404

    def test_a_page_that_was_opened_under_another_name(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit()
        ana = open_desk(audit)("ana")
        path = ana.item()
        ana.post("/leave")
        ana.post("/rater", {"name": "Bo"})
        reply = ana.post(path, {"answer": "1", "rater": "ana"})
        assert reply.status_code == 409
        assert "you are Bo now" in reply.text
        assert audit.label_log == []

    def test_notes_have_a_longest_length(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit())("ana")
        assert ana.answer("1", note="x" * 4001).status_code == 400
        assert ana.answer("1", note="x" * 120_000).status_code == 413
        assert ana.answer("1", note="ü\r\n" * 1300).status_code == 200


class TestSeveralPeople:
    def test_people_at_once_do_not_replace_each_other(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit(25)
        enter = open_desk(audit)
        people = [enter(name) for name in ("ana", "bo", "cy")]

        def label_all(person: Any) -> None:
            for _ in range(25):
                person.answer("1")

        threads = [threading.Thread(target=label_all, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(label.rater for label in audit.labels) == {"ana": 25, "bo": 25, "cy": 25}
        assert len(audit.label_log) == 75
        assert {label.order for label in audit.labels} == {(0, 1), (1, 0)}

    def test_a_server_that_starts_again_goes_on(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit(5)
        first = open_desk(audit)("ana")
        first.answer("1")
        path = first.item()
        again = open_desk(Audit(audit.uri))("ana")
        assert again.item() == path
        assert "<strong>1</strong> of 5" in again.get().text

    def test_labels_that_arrive_in_the_folder_are_seen(
        self, make_audit: MakeAudit, open_desk: Open, label: Callable[..., Label]
    ) -> None:
        audit = make_audit(2)
        ana = open_desk(audit)("ana")
        assert "<strong>0</strong> of 2" in ana.get().text
        audit.append_label(label(item_id="secret-id-0", rater="ana", label="A"))
        assert "<strong>1</strong> of 2" in ana.get().text

    def test_a_name_that_is_taken_asks_first(
        self, make_audit: MakeAudit, open_desk: Open, label: Callable[..., Label]
    ) -> None:
        audit = make_audit(2)
        audit.append_label(label(item_id="secret-id-0", rater="Ana", label="A"))
        person = open_desk(audit)()
        asked = person.post("/rater", {"name": " ana "})
        assert "Is that you?" in asked.text
        assert "Who is labelling?" in person.get().text
        person.post("/rater", {"name": "Ana", "same": "yes"})
        person.answer("1")
        assert {line.rater for line in audit.label_log} == {"Ana"}

    @pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\u202eb", "a\x00b", "Ana (adjudicating)"])
    def test_a_name_that_is_none(self, make_audit: MakeAudit, open_desk: Open, name: str) -> None:
        person = open_desk(make_audit())()
        reply = person.post("/rater", {"name": name})
        assert reply.status_code == 400
        assert 'role="alert"' in reply.text
        assert not person.client.cookies


class TestAdjudication:
    def two_raters(self, audit: Audit, label: Callable[..., Label]) -> None:
        for n, (one, other) in enumerate([("A", "B"), ("A", "A"), ("TIE", "A")]):
            audit.append_label(label(item_id=f"secret-id-{n}", rater="ana", label=one))
            audit.append_label(label(item_id=f"secret-id-{n}", rater="bo", label=other))

    def test_only_what_raters_disagree_about_is_shown(
        self, make_audit: MakeAudit, open_desk: Open, label: Callable[..., Label]
    ) -> None:
        audit = make_audit(4)
        self.two_raters(audit, label)
        ana = open_desk(audit, adjudicate=True)("ana")
        page = ana.get().text
        assert "<strong>0</strong> of 2" in page
        assert "You answered" not in page
        assert not {">bo<", "bo "} & set(page.split())
        keys = {item_key("audit-secret", f"secret-id-{n}") for n in (0, 2)}
        assert ana.item().rpartition("/")[2] in keys
        agreed = item_key("audit-secret", "secret-id-1")
        assert ana.get(f"/item/{agreed}").status_code == 404
        assert ana.post(f"/item/{agreed}", {"answer": "1"}).status_code == 400

    def test_a_decision_leaves_the_labels_of_its_author_alone(
        self, make_audit: MakeAudit, open_desk: Open, label: Callable[..., Label]
    ) -> None:
        audit = make_audit(4)
        self.two_raters(audit, label)
        enter = open_desk(audit, adjudicate=True)
        enter("ana").answer("3")
        decisions = [found for found in audit.labels if found.adjudicated]
        assert [(found.rater, found.label) for found in decisions] == [("ana (adjudicating)", "TIE")]
        assert len(audit.labels) == 7
        assert "<strong>1</strong> of 2" in enter("ana").get().text
        assert "<strong>0</strong> of 1" in enter("bo").get().text

    def test_nothing_to_decide(self, make_audit: MakeAudit, open_desk: Open) -> None:
        assert "Nothing to decide" in open_desk(make_audit(), adjudicate=True)("ana").get().text


class TestFiles:
    def test_items_without_text_are_left_out(
        self, make_audit: MakeAudit, open_desk: Open, make_item: Callable[..., AuditItem]
    ) -> None:
        items = [make_item(0), make_item(1, responses=("x", None)), make_item(2, responses=("x",)), make_item(3)]
        assert "of 2" in open_desk(make_audit(items))("ana").get().text

    def test_an_audit_without_any_text(
        self, make_audit: MakeAudit, open_desk: Open, make_item: Callable[..., AuditItem]
    ) -> None:
        with pytest.raises(ConfigError, match="1 items have none"):
            open_desk(make_audit([make_item(0, responses=(None, None))]))

    def test_an_audit_elsewhere(self, open_desk: Open) -> None:
        with pytest.raises(ConfigError, match="copy it here"):
            open_desk(Audit("s3://bucket/audit?region=eu-central-1"))

    def test_a_file_that_breaks_is_told_without_what_is_in_it(
        self, make_audit: MakeAudit, open_desk: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        audit = make_audit(2)
        ana = open_desk(audit)("ana")
        audit.write_labels("bo", [])
        with open(audit.location.child("labels/bo.jsonl").path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write('{"unknown": "someone said B"}\n')
        reply = ana.get("/")
        assert reply.status_code == 500
        assert "someone" not in reply.text
        assert "someone said B" in caplog.text
