"""The page as people use it: the command, a browser, keys."""

import base64
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from calibration.audit import AuditItem
from calibration.audit_folder import Audit

pytestmark = pytest.mark.slow
MakeAudit = Callable[..., Audit]
Start = Callable[..., "Server"]

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    # A name that is not this machine's own: there browsers do not say where a request comes from.
    "--host-resolver-rules=MAP labels.example 127.0.0.1",
)
HOSTILE = (
    "<script>window.hacked=1</script></textarea></title></script>"
    "<img src='http://127.0.0.1:9/x' onerror=window.hacked=2><svg onload=window.hacked=3>"
    "<meta http-equiv=refresh content='0; url=http://127.0.0.1:9/'><base href='http://127.0.0.1:9/'>"
    "\"' autofocus onfocus=window.hacked=4 x='{{ 71*73 }} \u202e \x00 \ud800 " + "w" * 3000
)


class Server:
    """The command, running; ``stop`` is Ctrl-C and gives the exit code."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-c", "from jobs.cli import main; main()", "label", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().removeprefix("label: ").strip()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()
        return code


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Server] = []

    def begin(audit: Audit, *more: str) -> Server:
        running.append(Server(audit.uri, *(more or ("--port", "0"))))
        return running[-1]

    yield begin
    for server in running:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """Headless Chromium; its absence fails in CI and skips elsewhere."""
    found = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in found:
        message = "the labelling page's browser tests need chromium and chromedriver"
        (pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip)(message)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = found[0] or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(found[1]))
    browser.set_page_load_timeout(60)
    yield browser
    browser.quit()


class Window:
    """The browser with nothing remembered."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        self.look(1280, "light")
        self.requests()

    def look(self, width: int, scheme: str) -> None:
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def sign_in(self, url: str, name: str = "Ana") -> "Window":
        self.driver.get(url)
        self.wait(lambda: self.find("#name")).send_keys(f"{name}\n")
        self.wait(lambda: "/item/" in self.driver.current_url)
        return self

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def key(self, key: str) -> None:
        """Press a key that leads to another page, and wait for that page."""
        self.run("window.before = true")
        self.find("body").send_keys(key)
        self.wait(lambda: self.run("return document.readyState === 'complete' && !window.before"))

    def wait(self, condition: Callable[[], Any]) -> Any:
        from selenium.common.exceptions import WebDriverException

        deadline = time.monotonic() + 60
        while True:
            try:
                if found := condition():
                    return found
            except WebDriverException:
                pass
            assert time.monotonic() < deadline, f"waited in vain at {self.driver.current_url}"
            time.sleep(0.05)

    def requests(self) -> list[str]:
        """Addresses asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture
def window(driver: Any) -> Window:
    return Window(driver)


class TestByKeyboard:
    def test_ten_pairs_a_reload_an_undo_a_restart_and_the_export(
        self, window: Window, make_audit: MakeAudit, start: Start, run: Callable[..., Any]
    ) -> None:
        audit = make_audit(12)
        server = start(audit)
        window.sign_in(server.url)
        for key in "123t123t12":
            first = window.find(".s0 .text").text
            window.driver.refresh()
            assert window.find(".s0 .text").text == first
            window.key(key)
        assert "10 of 12" in window.find(".progress").text
        assert [label.label for label in audit.labels].count("TIE") == 4
        window.key("u")
        assert "9 of 12" in window.find(".progress").text
        assert window.find(".s0 .text").text == first
        assert len(audit.labels) == 9
        assert server.stop() == 130
        port = re.search(r":(\d+)/", server.url)
        assert port
        server = start(audit, "--port", port[1])
        window.driver.get(server.url)
        assert window.find(".s0 .text").text == first
        rows = list(csv.DictReader(io.StringIO(run("label", audit.uri, "--export", "-").stdout)))
        assert len(rows) == 9
        assert {(row["rater"], row["adjudicated"]) for row in rows} == {("Ana", "false")}
        assert {row["label"] for row in rows} == {"A", "B", "TIE"}

    def test_notes_skips_and_help(self, window: Window, make_audit: MakeAudit, start: Start) -> None:
        from selenium.webdriver.common.keys import Keys

        audit = make_audit(3)
        window.sign_in(start(audit).url)
        window.find("body").send_keys("?")
        assert window.find("#help").is_displayed()
        window.find("body").send_keys("1")
        window.find("body").send_keys("?")
        assert not window.find("#help").is_displayed()
        window.find("body").send_keys("n")
        note = window.driver.switch_to.active_element
        assert note.get_attribute("id") == "note"
        note.send_keys("12 s? maybe", Keys.ESCAPE)
        assert audit.label_log == []
        window.key("2")
        skipped = window.driver.current_url
        window.key("s")
        window.key("t")
        assert window.driver.current_url == skipped
        assert "You skipped this one" in window.find(".status").text
        window.key("s")
        assert "Done, thank you" in window.find("h1").text
        assert [label.note for label in audit.labels] == ["12 s? maybe", None]

    @pytest.mark.parametrize(("scale", "keys", "stored"), [((1, 5), "4", 4), ((0, 100), "73\n", 73)])
    def test_scores_by_digit_and_typed(
        self, window: Window, make_audit: MakeAudit, start: Start, scale: tuple[int, int], keys: str, stored: int
    ) -> None:
        items = [AuditItem(item_id=f"q{n}", responses=("answer",)) for n in range(2)]
        audit = make_audit(items, kind="rating", labels=[], scale=scale)
        window.sign_in(start(audit).url)
        window.find("body").send_keys(keys[0])
        if keys[1:]:
            window.driver.switch_to.active_element.send_keys(keys[1:])
        window.wait(lambda: "1 of 2" in window.find(".progress").text)
        assert [label.score for label in audit.labels] == [stored]

    def test_a_key_pressed_twice_answers_once(self, window: Window, make_audit: MakeAudit, start: Start) -> None:
        audit = make_audit(5)
        window.sign_in(start(audit).url)
        press = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"
        window.run(f"{press}; {press}; {press}", "1")
        window.wait(lambda: "1 of 5" in window.find(".progress").text)
        time.sleep(0.3)
        assert len(audit.label_log) == 1

    def test_without_scripts_the_buttons_do_it_all(self, window: Window, make_audit: MakeAudit, start: Start) -> None:
        audit = make_audit(2)
        window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        window.sign_in(start(audit).url)
        window.find("#note").send_keys("by hand")
        window.find("button[value='3']").click()
        window.wait(lambda: "1 of 2" in window.find(".progress").text)
        window.find("#undo button").click()
        window.wait(lambda: "0 of 2" in window.find(".progress").text)
        window.find("button[name='skip']").click()
        window.wait(lambda: "1 skipped" in window.find(".progress").text)
        assert [line.note for line in audit.label_log] == ["by hand"] * 3


class TestHarmless:
    def test_a_hostile_audit_does_nothing(self, window: Window, make_audit: MakeAudit, start: Start) -> None:
        items = [
            AuditItem(item_id=f"{n}{HOSTILE}", question=HOSTILE, context=HOSTILE, responses=(HOSTILE, n + HOSTILE))
            for n in "abc"
        ]
        server = start(make_audit(items, question=HOSTILE, guide=HOSTILE))
        window.requests(), window.complaints()
        window.sign_in(server.url, "<img src=x onerror=window.hacked=5>")
        for key in "12u3":
            assert window.run("return window.hacked === undefined") is True
            assert window.run("return document.querySelectorAll('img, svg, iframe, base, style').length") == 0
            for width in (1280, 390, 320):
                window.look(width, "light")
                assert window.run("return document.documentElement.scrollWidth") <= width
            window.key(key)
        assert all(url.startswith(server.url) for url in window.requests() if not url.startswith("data:"))
        assert window.complaints() == []

    def test_a_link_of_another_site_lets_in_and_the_token_is_gone(
        self, window: Window, make_audit: MakeAudit, start: Start
    ) -> None:
        audit = make_audit(2)
        server = start(audit, "--host", "0.0.0.0", "--port", "0")
        assert "?token=" in server.url
        elsewhere = server.url.replace("0.0.0.0", "labels.example")
        window.driver.get(elsewhere.partition("?")[0])
        assert "with the token" in window.find("main").text
        window.driver.get(f"data:text/html,<a href='{elsewhere}'>go</a>")
        window.find("a").click()
        window.wait(lambda: window.find("#name")).send_keys("Ana\n")
        window.wait(lambda: "/item/" in window.driver.current_url)
        window.key("1")
        assert "token" not in window.driver.current_url
        assert len(audit.labels) == 1

    def test_two_people_at_once(self, window: Window, driver: Any, make_audit: MakeAudit, start: Start) -> None:
        audit = make_audit(3)
        server = start(audit)
        for name in ("Ana", "Bo"):
            # Two names of this machine are two cookie jars.
            window.sign_in(server.url.replace("127.0.0.1", {"Ana": "127.0.0.1", "Bo": "localhost"}[name]), name)
        for _ in range(3):
            for host in ("127.0.0.1", "localhost"):
                driver.get(server.url.replace("127.0.0.1", host))
                window.key("1")
        assert sorted((label.rater, label.item_id) for label in audit.labels) == [
            (rater, f"secret-id-{n}") for rater in ("Ana", "Bo") for n in range(3)
        ]


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


class TestLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out_and_the_answer_is_in_reach(
        self, window: Window, make_audit: MakeAudit, start: Start, scheme: str
    ) -> None:
        audit = make_audit([AuditItem(item_id="q", question="?", responses=("long " * 9000, "short " * 900))])
        window.sign_in(start(audit).url)
        window.look(390, scheme)
        for selector in ("body", "h2", "summary", ".soft", ".cut", ".choice", ".text", ".who", "kbd", ".link"):
            assert contrast(*window.run(CONTRAST, selector)) >= 4.5, selector
        box = "return (r => [r.top, r.bottom, r.height])(document.querySelector('.choice').getBoundingClientRect())"
        top, bottom, height = window.run(box)
        assert top > 0
        assert bottom <= 844
        assert height >= 44
        shot = base64.b64decode(window.driver.get_screenshot_as_base64())
        assert len(shot) > 10_000
