"""What the pages show, what they never show, and foreign text on them."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from calibration.audit import AuditItem
from calibration.audit_folder import Audit

MakeAudit = Callable[..., Audit]
Open = Callable[..., Callable[..., Any]]

HOSTILE = (
    "<script>window.hacked=1</script></textarea></title>"
    "<img src=http://127.0.0.1:9/x onerror=window.hacked=2>"
    "\"'><svg onload=window.hacked=3> javascript:window.hacked=4 {{ 71*73 }} &lt;b&gt;"
)
BENT = "left \u202eright\u202c \x00 \x1b[31m \ud800 end"


class Tags(HTMLParser):
    """Every start tag with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_items() -> list[AuditItem]:
    bad = HOSTILE + BENT
    return [
        AuditItem(item_id=f"{n}{bad}", question=bad, context=bad, reference=bad, responses=(bad, f"{n}")) for n in "abc"
    ]


class TestBlind:
    def test_nothing_tells_where_an_answer_comes_from(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit(3))("ana")
        pages = [ana.get("/").text]
        for _ in range(3):
            pages.append(ana.answer("1").text)
            pages.append(ana.get("/done").text)
            pages.append(ana.get("/export.csv").text)
        assert "Done, thank you" in pages[-3]
        pages += [ana.post("/undo").text, open_desk(make_audit(3))().get().text]
        assert not [page for page in pages if "secret" in page.lower()]

    def test_the_order_of_the_answers_is_not_on_the_page(self, make_audit: MakeAudit, open_desk: Open) -> None:
        ana = open_desk(make_audit(6))("ana")
        skeletons = set()
        for _ in range(6):
            tags = Tags(ana.get().text).tags
            kept = [(tag, {k: v for k, v in a.items() if k not in ("action", "disabled")}) for tag, a in tags]
            skeletons.add(repr([(tag, a) for tag, a in kept if tag not in ("progress", "input")]))
            ana.answer("1")
        assert len(skeletons) == 1

    def test_question_guide_context_and_reference_are_there(self, make_audit: MakeAudit, open_desk: Open) -> None:
        item = AuditItem(item_id="q", question="Why?", context="Because.", reference="So.", responses=("x", ""))
        text = Tags(open_desk(make_audit([item]))("ana").get().text).text
        for part in (
            "Which answer helps more?",
            "Be fair.\nBe brief.",
            "Why?",
            "Because.",
            "So.",
            "This answer is empty.",
        ):
            assert part in text


class TestForeignText:
    def test_markup_is_shown_as_the_text_it_is(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit(hostile_items(), question=HOSTILE, guide=HOSTILE)
        ana = open_desk(audit)("ana")
        page = ana.answer("1", note=HOSTILE).text
        ana.post("/undo")
        noted = Tags(ana.get().text)
        assert Tags(page).text.count("<script>window.hacked=1</script>") >= 5
        assert "</textarea>" in noted.text
        assert "5183" not in page
        for tags in (Tags(page), noted):
            names = {tag for tag, _ in tags.tags}
            assert not names & {"img", "svg", "iframe", "object", "base", "style"}
            assert [a for tag, a in tags.tags if tag == "script"] == [{"src": "/static/label.js", "defer": None}]
            assert not [n for _, a in tags.tags for n in a if n == "style" or (n.startswith("on") and len(n) > 2)]

    def test_controls_are_written_out(self, make_audit: MakeAudit, open_desk: Open) -> None:
        page = open_desk(make_audit(hostile_items()))("ana").get().text
        for character in "\x00\x1b\u202e\ud800":
            assert character not in page
            assert f"⟨U+{ord(character):04X}⟩" in page

    def test_two_megabytes_are_cut_and_whole_elsewhere(self, make_audit: MakeAudit, open_desk: Open) -> None:
        big = "<b>long</b> " * 170_000
        item = AuditItem(item_id="q", context=big, responses=(big, "short"))
        ana = open_desk(make_audit([item]))("ana")
        page = ana.get().text
        assert len(page) < 200_000
        assert "The first 20,000 of 2,040,000 characters." in page
        for link in re.findall(r'href="(/text/[^"]+)"', page):
            whole = ana.get(link)
            assert whole.text == big
            assert whole.headers["content-type"] == "text/plain; charset=utf-8"
            assert whole.headers["x-content-type-options"] == "nosniff"
        assert ana.get(link.rpartition("/")[0] + "/trace_ids").status_code == 404

    def test_an_error_quotes_what_was_sent_as_text(self, make_audit: MakeAudit, open_desk: Open) -> None:
        page = open_desk(make_audit())("ana").answer("<img src=x>").text
        assert "<img" not in page
        assert "&lt;img src=x&gt;" in page

    @pytest.mark.parametrize("name", ["<b>Ana</b>", "Zoë", "李雷", 'O\'Neil "x"; a=b'])
    def test_names_of_all_kinds(self, make_audit: MakeAudit, open_desk: Open, name: str) -> None:
        audit = make_audit()
        page = open_desk(audit)(name).answer("1").text
        assert f"<bdi>{name}</bdi>" not in page or "<" not in name
        assert name in Tags(page).text
        assert {label.rater for label in audit.labels} == {name}
