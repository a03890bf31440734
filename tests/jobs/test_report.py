"""The page is read with an HTML parser, and used in headless Chromium as a person would."""

import base64
import hashlib
import io
import json
import os
import re
import runpy
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from calibration.gate import GateDecision, GateState
from jobs.report import render_report, write_report
from jobs.summary import summarise
from judgefleet.errors import StoreError
from judgefleet.sample import SAMPLE_SCHEMA
from judgefleet.score import SCORE_SCHEMA, Status, failure

Build = Callable[..., Any]
EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_run.py")))
build: Build = EXAMPLE["build"]

HOSTILE = (
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=2</script>",
    "</style><script>window.hacked=3</script>",
    "<img src=x onerror=window.hacked=4>",
    '"><svg onload=window.hacked=5>',
    "'><iframe srcdoc='<script>parent.hacked=6</script>'></iframe>",
    '<a href="javascript:window.hacked=7">javascript:window.hacked=7</a>',
    "--><!-- <base href=//evil.example> <meta http-equiv=refresh content=0>",
    "{{ 71*73 }}{% raw %}",
    "&lt;script&gt; &amp;quot; &#60;b&#62;",
)
PAYLOAD = " ".join(HOSTILE)
BENT = "left \u202eright\u202c \x00 \x1b[31m \u2066x\u2069 \r\nend"


class Page(HTMLParser):
    """Every start tag with its attributes, and the text outside style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style"):
            self.raw[self._open] = self.raw.get(self._open, "") + data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [a[name] or "" for _, a in self.tags if name in a]


def render(run: Any, **more: Any) -> str:
    return render_report(summarise(run.scores, run.samples, run.facts), run.scores, run.samples, **more)


def hostile_run() -> Any:
    """Every text of the run that comes from outside says something bad."""
    message = EXAMPLE["Message"]
    run = build(
        items=8,
        output=lambda i, v: HOSTILE[i] if v == "A" else PAYLOAD + BENT,
        messages=lambda i, v: (message(role=PAYLOAD, content=PAYLOAD), message(role="user", content=HOSTILE[i] + BENT)),
        contexts=(PAYLOAD, BENT),
        reference=PAYLOAD,
        variant=lambda i, v: v + HOSTILE[0] + BENT,
        attributes=lambda i, v: {"judgefleet.item_id": f"{i}{PAYLOAD}{BENT}"},
    )
    for r in run.rows:
        r["reason"] = PAYLOAD + BENT
        r["scorer"], r["axis"] = r["scorer"] + HOSTILE[1], r["axis"] + HOSTILE[3]
        r["fingerprint"], r["config"] = HOSTILE[4] + r["fingerprint"], PAYLOAD
        if r["status"] == "ok" and not r["pair_id"]:
            r["label"], r["probabilities"] = PAYLOAD, {HOSTILE[0]: 0.5, HOSTILE[3]: 0.5}
    run.facts |= {"name": PAYLOAD + BENT, "model": PAYLOAD, PAYLOAD: PAYLOAD, "warnings": [PAYLOAD + BENT]}
    return run


@pytest.fixture(scope="module")
def plain() -> str:
    return render(build())


@pytest.fixture(scope="module")
def hostile() -> str:
    return render(hostile_run())


class TestSelfContained:
    @pytest.fixture(params=["plain", "hostile"])
    def page(self, request: pytest.FixtureRequest) -> Page:
        return Page(request.getfixturevalue(request.param))

    def test_nothing_is_loaded_and_every_link_stays_on_the_page(self, page: Page) -> None:
        assert not {"src", "srcset", "srcdoc", "action", "data", "poster", "background"} & set(names(page))
        links, targets = page.values("href"), set(page.values("id"))
        assert len(links) > 50
        assert {h[1:] for h in links} <= targets
        assert all(h.startswith("#") for h in links)

    def test_only_our_own_elements_and_no_inline_handlers_or_styles(self, page: Page) -> None:
        tags = Counter(tag for tag, _ in page.tags)
        assert not {"img", "iframe", "object", "embed", "base", "link", "form", "audio", "video"} & set(tags)
        assert (tags["script"], tags["style"], tags["meta"]) == (1, 1, 5)
        assert not [n for n in names(page) if n.startswith("on") or n == "style"]

    def test_the_policy_allows_this_style_and_this_script_and_nothing_else(self, page: Page) -> None:
        (policy,) = [a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
        rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
        assert set(rules) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
        for name in ("style", "script"):
            digest = base64.b64encode(hashlib.sha256(page.raw[name].encode()).digest()).decode()
            assert rules.pop(f"{name}-src") == f"'sha256-{digest}'"
        assert set(rules.values()) == {"'none'"}

    def test_ids_are_unique_and_drawings_have_a_title_and_a_description(self, page: Page) -> None:
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        plots = [a for t, a in page.tags if t == "svg" and a.get("class") == "plot"]
        assert len(plots) >= 10
        for a in plots:
            assert set((a["aria-labelledby"] or "").split()) <= set(ids)


def names(page: Page) -> list[str]:
    return [n for _, attributes in page.tags for n in attributes]


class TestForeignText:
    def test_markup_is_shown_as_the_text_it_is(self, hostile: str) -> None:
        text = Page(hostile).text
        for part in HOSTILE:
            assert part in text
        assert "5183" not in text

    def test_controls_and_reordering_are_written_out(self, hostile: str) -> None:
        for character in "\x00\x1b\u202e\u202c\u2066\u2069":
            assert character not in hostile
            assert f"⟨U+{ord(character):04X}⟩" in hostile

    def test_a_text_of_two_megabytes_is_cut_and_the_page_says_so(self) -> None:
        big = "long answer " * 170_000
        page = render(build(items=2, output=big, contexts=(big,), reference=big))
        assert len(page) < 400_000
        assert "the first 4,000 of 2,040,000 characters are shown" in page
        assert "the first 1,200 of 2,040,000 characters are shown" in page

    def test_two_megabytes_of_null_bytes_stay_small(self) -> None:
        assert len(render(build(items=2, output="\x00" * 2_000_000))) < 400_000


class TestContents:
    def test_the_judge_is_untrusted_until_its_gate_is_open(self, plain: str) -> None:
        text = Page(plain).text
        assert "The judge's figures on this page are untrusted" in text
        assert "are not trusted until an audit opens the gate" in text
        assert "nobody has compared this judge with people" in text
        run = build()
        judges = list(summarise(run.scores, run.samples, {}).gates)
        gates = {f: GateDecision(state=GateState.OPEN, fingerprint=f, reason="audited") for f in judges}
        summary = summarise(run.scores, run.samples, run.facts, gates)
        assert "untrusted" not in Page(render_report(summary, run.scores, run.samples)).text.lower()

    def test_what_was_run(self, plain: str) -> None:
        text = Page(plain).text
        for part in ("run-7f3a", "embedded/smollm2-135m-instruct", "sha256:5b1f", "vllm 0.29.0", "lines 17 and 44"):
            assert part in text
        assert "46 of 48 (96 %)" in text
        assert set(fingerprints := {r["fingerprint"] for r in build().rows}) == {f for f in fingerprints if f in text}

    def test_every_figure_of_the_summary_is_on_the_page(self, plain: str) -> None:
        run = build()
        text = Page(plain).text
        for axis in summarise(run.scores, run.samples, run.facts).axes:
            places = 2 if axis.scale == (1, 5) else 3
            for arm in axis.arms:
                assert arm.mean is None or f"{arm.mean.value:.{places}f}" in text
            for d in axis.differences:
                assert f"{d.estimate.value or 0:.{places}f}".lstrip("-") in text
        assert "23 of 24 pairs judged" in text
        assert "9 of 23 pairs" in text

    def test_the_matrix_counts_each_pair_once(self, plain: str) -> None:
        matrix = re.search(r'<table class="matrix".*?</table>', plain, re.DOTALL)
        assert matrix
        cells = [int(n) for n in re.findall(r">(\d+)(?:</a>)?</td>", matrix[0])]
        # Rows: the verdict with A first; columns: with B first. Both: A better, tie, B better.
        assert cells == [5, 0, 5, 0, 0, 4, 0, 0, 9]

    def test_failures_are_listed_as_failures_with_their_reasons(self, plain: str) -> None:
        text = Page(plain).text
        assert "the answer held none of the labels 1 to 5 (3)" in text
        assert "not scored: unparsed" in text
        assert "Not judged: context overflow" in text

    def test_a_case_shows_both_answers_the_contexts_and_the_reference(self, plain: str) -> None:
        case = re.search(r'<details class="case".*?(?=<details class="case")', plain, re.DOTALL)
        assert case
        text = Page(case[0]).text
        assert "Sorry to hear that. " in text
        assert "Sorry to hear that, Dana. Under" in text
        assert "This applies to every order placed in our shop." in text
        assert "Says that:" in text
        assert "A first: A better (first 0.72, second 0.28)" in text
        assert text.count("support_rubric") == 6

    def test_a_rising_distribution_is_drawn_for_each_judged_score(self, plain: str) -> None:
        labels = [a.get("aria-label") or "" for t, a in Page(plain).tags if t == "svg" and a.get("class") == "dist"]
        assert len(labels) == 134
        assert all(re.fullmatch(r"(\d: \d\.\d\d ){5}", label) for label in labels)


@pytest.fixture(scope="module")
def large() -> tuple[Any, str]:
    run = build(items=400)
    return run, render(run)


class TestBounded:
    def test_at_most_300_traces_and_the_page_says_so(self, large: tuple[Any, str]) -> None:
        assert large[1].count('<article class="answer') == 300
        assert "This page holds 300 of 800 traces" in large[1]
        assert len(large[1]) < 6_000_000

    def test_disagreements_come_first_then_the_lowest_scored(self, large: tuple[Any, str]) -> None:
        flipped = {r["trace_id"] for r in large[0].rows if r["order_consistent"] is False}
        shown = re.findall(r'<span class="mono soft">(\w{32}) / ', large[1])
        assert len(shown) == 300
        assert flipped <= set(shown)
        first = [t in flipped for t in re.findall(r'<span class="mono soft">(\w{32}) / ', render(build(items=40)))]
        assert first == [True] * 32 + [False] * 48
        run = build(items=40)
        for r in run.rows:
            r["order_consistent"] = None
        lowest = min(
            (r for r in run.rows if r["value"] is not None and r["scorer"] == "support_rubric"),
            key=lambda r: r["value"],
        )
        few = re.findall(r'<span class="mono soft">(\w{32}) / ', render(run, max_traces=20))
        assert len(few) == 20
        assert lowest["trace_id"] in few

    def test_the_figures_are_about_all_traces(self, large: tuple[Any, str]) -> None:
        assert "of 400 scored" in Page(large[1]).text


class TestOddStores:
    def test_an_empty_store(self) -> None:
        empty = SCORE_SCHEMA.empty_table(), SAMPLE_SCHEMA.empty_table()
        text = Page(render_report(summarise(*empty, {}), *empty)).text
        assert "No scores: the store has no rows." in text

    def test_scores_whose_traces_are_not_stored(self) -> None:
        run = build(items=3)
        run.drawn = []
        text = Page(render(run)).text
        assert "The answer is not in this store." in text

    def test_one_variant_or_none(self) -> None:
        assert "no variant" in Page(render(build(items=4, variant=None))).text

    def test_three_variants(self) -> None:
        run = build(items=6, variant=lambda i, v: v if i < 4 else "C")
        assert "C - A" in Page(render(run)).text

    def test_a_run_where_everything_failed(self) -> None:
        run = build(items=3)
        for r in run.rows:
            r |= {"value": None, "status": Status.ENGINE_ERROR.value, "reason": "engine died", "orders": []}
        text = Page(render(run)).text
        assert "0 %" in text
        assert "engine died (3)" in text

    def test_an_empty_and_a_missing_answer(self) -> None:
        text = Page(render(build(items=2, output=lambda i, v: "" if v == "A" else None))).text
        assert "The answer is empty." in text
        assert "The answer is not in this store." in text

    def test_pairs_without_golden_items_are_shown_side_by_side(self) -> None:
        page = render(build(items=5, attributes={}))
        assert page.count('<details class="case"') == 5

    def test_a_pair_that_lost_one_of_its_rows(self) -> None:
        run = build(items=4)
        gone = next(i for i, r in enumerate(run.rows) if r["pair_id"] and r["variant"] == "A")
        del run.rows[gone]
        run.add(run.drawn[0], EXAMPLE["PAIRWISE"], "preference", failure(Status.NOT_APPLICABLE, "no partner"))
        assert "no partner (1)" in Page(render(run)).text


class TestWritten:
    def test_the_file_is_whole_and_alone(self, tmp_path: Path) -> None:
        run = build(items=3)
        summary = summarise(run.scores, run.samples, run.facts)
        for _ in range(2):
            path = write_report(summary, run.scores, run.samples, tmp_path / "deep" / "report.html")
        assert path.read_text(encoding="utf-8").endswith("</html>")
        assert [p.name for p in path.parent.iterdir()] == ["report.html"]

    def test_a_path_that_cannot_be_written_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        run = build(items=2)
        summary = summarise(run.scores, run.samples, run.facts)
        with pytest.raises(StoreError, match=r"cannot write the report to .*report\.html.*name another path"):
            write_report(summary, run.scores, run.samples, tmp_path / "file" / "report.html")

    def test_the_same_run_gives_the_same_page(self, plain: str) -> None:
        assert render(build()) == plain


FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; its absence fails in CI and skips elsewhere."""
    found = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in found:
        message = "the report's browser tests need chromium and chromedriver: apt-get install chromium chromium-driver"
        (pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip)(message)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = found[0] or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(found[1]))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


class Window:
    """One page in the browser, at a width, in light or dark."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver, self.url = driver, path.as_uri()

    def open(self, width: int = 1280, scheme: str = "light", fragment: str = "") -> "Window":
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get("about:blank")
        self.driver.get(self.url + fragment)
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def log(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def shown(self) -> list[str]:
        """The names of the cases that are not filtered out, in their order on the page."""
        names = "[...document.querySelectorAll('details.case:not([hidden]) > summary > .mono')].map(x => x.textContent)"
        return list(self.run(f"return {names}"))


@pytest.fixture(scope="module")
def plain_window(browser: Any, plain: str, tmp_path_factory: pytest.TempPathFactory) -> Window:
    path = tmp_path_factory.mktemp("plain") / "report.html"
    path.write_text(plain, encoding="utf-8")
    return Window(browser, path)


@pytest.fixture(scope="module")
def hostile_window(browser: Any, hostile: str, tmp_path_factory: pytest.TempPathFactory) -> Window:
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_text(hostile, encoding="utf-8")
    return Window(browser, path)


OPEN_ALL = "for (const d of document.querySelectorAll('details')) d.open = true"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


@pytest.mark.slow
class TestInTheBrowser:
    def test_nothing_foreign_runs(self, hostile_window: Window) -> None:
        window = hostile_window.open()
        window.run(OPEN_ALL)
        window.run(
            "for (const a of document.querySelectorAll('a, summary, button')) a.dispatchEvent(new Event('click'))"
        )
        assert window.run("return window.hacked === undefined") is True
        assert window.run("return document.querySelectorAll('script, style').length") == 2
        assert window.run("return document.querySelectorAll('img, iframe, base').length") == 0
        assert window.log() == []

    def test_the_policy_would_stop_what_slips_through(self, plain: str, browser: Any, tmp_path: Path) -> None:
        path = tmp_path / "slipped.html"
        path.write_text(plain.replace("</main>", HOSTILE[0] + HOSTILE[3] + "</main>"), encoding="utf-8")
        window = Window(browser, path).open()
        assert window.run("return window.hacked === undefined") is True
        assert any("Content Security Policy" in message for message in window.log())

    @pytest.mark.parametrize("name", ["plain_window", "hostile_window"])
    @pytest.mark.parametrize("width", [390, 320, 768])
    def test_the_page_never_scrolls_sideways(self, request: pytest.FixtureRequest, name: str, width: int) -> None:
        window = request.getfixturevalue(name).open(width)
        window.run(OPEN_ALL)
        assert window.run("return document.documentElement.scrollWidth") <= width

    def test_light_and_dark_follow_the_system_and_the_button(self, plain_window: Window) -> None:
        light = plain_window.open(scheme="light").run(BACKGROUND)
        dark = plain_window.open(scheme="dark").run(BACKGROUND)
        assert light != dark
        plain_window.run("document.getElementById('theme').click()")
        assert plain_window.run(BACKGROUND) == light
        assert plain_window.run("return document.getElementById('theme').textContent") == "Dark colours"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out_from_its_background(self, plain_window: Window, scheme: str) -> None:
        window = plain_window.open(scheme=scheme)
        window.run(OPEN_ALL)
        for selector in ("body", ".soft", ".banner p", ".tag.warn", ".tiles .say", "a", ".text", ".scores .failed"):
            colours = window.run(CONTRAST, selector)
            assert contrast(*colours) >= 4.5, (selector, colours)

    def test_a_click_on_a_figure_shows_its_traces_lowest_first(self, plain_window: Window) -> None:
        window = plain_window.open()
        assert len(window.shown()) == 24
        find = "[...document.querySelectorAll('svg a')].find(a => a.ariaLabel.includes(arguments[0]))"
        window.run(f"{find}.dispatchEvent(new MouseEvent('click', {{bubbles: true, cancelable: true}}))", "clarity: B,")
        values = {
            dict(r["attributes"])["judgefleet.item_id"]: r["value"]
            for r in build().rows
            if r["axis"] == "clarity" and r["variant"] == "B"
        }
        ranked = sorted(values, key=lambda item: (values[item] is not None, values[item] or 0))
        assert [values[i] for i in window.shown()] == [values[i] for i in ranked]
        status = window.run("return document.getElementById('status').textContent")
        assert status == "24 of 24 cases shown, behind “support_rubric, clarity: B”, lowest value first."

    def test_a_click_on_a_cell_and_on_a_failure_leaves_only_their_cases(self, plain_window: Window) -> None:
        window = plain_window.open()
        window.run("document.querySelector('.matrix td:last-child a').click()")
        assert len(window.shown()) == 5
        failed = "[...document.querySelectorAll('table.wide a')].find(a => a.textContent === 'context overflow')"
        window.run(f"{failed}.click()")
        assert window.shown() == ["item-013"]
        window.run("document.getElementById('reset').click()")
        assert len(window.shown()) == 24

    def test_words_filter_and_the_address_keeps_the_figure(self, plain_window: Window) -> None:
        window = plain_window.open()
        typed = "const s = document.getElementById('search'); s.value = 'SHOE'; s.dispatchEvent(new Event('input'))"
        window.run(typed)
        assert window.shown() == [n for n in window.shown() if int(n[-3:]) % 5 == 1]
        assert len(window.shown()) == 5
        window.run("document.querySelector('.matrix td:last-child a').click()")
        fragment = "#" + window.run("return location.hash").lstrip("#")
        assert len(window.open(fragment=fragment).shown()) == 5

    def test_without_scripts_the_lists_lead_to_the_cases(self, plain_window: Window) -> None:
        driver = plain_window.driver
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            plain_window.open()
            from selenium.webdriver.common.by import By

            assert "are untrusted" in driver.find_element(By.CSS_SELECTOR, ".banner").text
            assert not driver.find_element(By.ID, "filter").is_displayed()
            figure = driver.find_element(By.CSS_SELECTOR, ".numbers a")
            target = driver.find_element(By.ID, (figure.get_dom_attribute("href") or "")[1:])
            assert not target.is_displayed()
            figure.click()
            assert target.is_displayed()
            link = target.find_element(By.TAG_NAME, "a")
            case = driver.find_element(By.ID, (link.get_dom_attribute("href") or "")[1:])
            link.click()
            assert case.is_displayed()
            assert "Sorry to hear that" in case.text
        finally:
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
    def test_the_picture_is_not_blank(self, plain_window: Window, width: int, scheme: str) -> None:
        from PIL import Image

        window = plain_window.open(width, scheme)
        area = {"x": 0, "y": 0, "width": width, "height": 3000, "scale": 1}
        shot = window.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": area})
        picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        found = sorted(count for count, _ in picture.getcolors(1 << 24) or ())
        assert picture.size == (width, 3000)
        assert len(found) > 200
        assert found[-1] < 0.9 * width * 3000


# The colour of the first match and of the nearest background behind it that is not transparent.
CONTRAST = """
const e = document.querySelector(arguments[0]);
let back = e;
while (back && getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)') back = back.parentElement;
return [getComputedStyle(e).color, getComputedStyle(back || document.body).backgroundColor];
"""


def contrast(ink: str, paper: str) -> float:
    """Contrast ratio of WCAG 2 between two ``rgb()`` colours."""

    def luminance(colour: str) -> float:
        parts = [int(p) / 255 for p in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(ink), luminance(paper)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert json.dumps(round(contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)"), 2)) == "4.54"
