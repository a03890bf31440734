"""Who is let in, whose forms are taken, and what a browser is told."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from calibration.audit_folder import Audit
from jobs.labelling.security import Access
from jobs.labelling.serve import access_for, address
from judgefleet.errors import ConfigError

MakeAudit = Callable[..., Audit]
Open = Callable[..., Callable[..., Any]]


@pytest.fixture
def enter(make_audit: MakeAudit, open_desk: Open) -> Callable[..., Any]:
    return open_desk(make_audit())


class TestHeaders:
    def test_every_answer_carries_the_policy(self, enter: Callable[..., Any]) -> None:
        ana = enter("ana")
        paths = (
            "/",
            "/done",
            "/enter",
            "/static/label.js",
            "/static/label.css",
            "/export.csv",
            "/nowhere",
            "/favicon.ico",
        )
        replies = [ana.get(path) for path in paths]
        replies += [ana.answer("9"), ana.get("/", headers={"Host": "evil.example"})]
        for reply in replies:
            rules = dict(rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; "))
            assert rules.pop("script-src") == rules.pop("style-src") == rules.pop("form-action") == "'self'"
            assert set(rules.values()) == {"'none'"}
            assert {"default-src", "img-src", "base-uri", "frame-ancestors"} <= set(rules)
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["referrer-policy"] == "same-origin"
            assert reply.headers["cache-control"] == "no-store"

    def test_cookies_are_out_of_reach(self, enter: Callable[..., Any]) -> None:
        reply = enter().post("/rater", {"name": "ana"}, follow_redirects=False)
        cookie = reply.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie

    @pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/static/../app.py", "/static/label.html"])
    def test_nothing_else_is_served(self, enter: Callable[..., Any], path: str) -> None:
        assert enter("ana").get(path).status_code == 404

    @pytest.mark.parametrize("cookie", ["", "%00", "a%0d%0ab", "x" * 200, "%ff", "Ana (adjudicating)"])
    def test_a_cookie_that_is_no_name_is_no_name(self, enter: Callable[..., Any], cookie: str) -> None:
        reply = enter().get("/", headers={"Cookie": f"judgefleet-rater={cookie}"})
        assert "Who is labelling?" in reply.text


class TestForgery:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Origin": "http://127.0.0.1"}, 200),
            ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}, 200),
            ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "http://127.0.0.1:9999"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-site"}, 403),
        ],
    )
    def test_only_our_own_forms_are_taken(
        self, make_audit: MakeAudit, open_desk: Open, headers: dict[str, str], status: int
    ) -> None:
        audit = make_audit()
        ana = open_desk(audit)("ana")
        reply = ana.post(ana.item(), {"answer": "1"}, headers=headers)
        assert reply.status_code == status
        assert len(audit.label_log) == (status == 200)

    def test_other_kinds_of_body_are_refused(self, enter: Callable[..., Any]) -> None:
        ana = enter("ana")
        assert ana.client.post(ana.item(), json={"answer": "1"}).status_code == 415
        assert (
            ana.client.post(ana.item(), content=b"answer=1", headers={"Content-Type": "text/plain"}).status_code == 415
        )
        assert ana.post(ana.item(), {f"f{n}": "" for n in range(30)}).status_code == 400

    def test_getting_a_page_changes_nothing(self, make_audit: MakeAudit, open_desk: Open) -> None:
        audit = make_audit()
        ana = open_desk(audit)("ana")
        for path in ("/undo", "/leave", "/rater", f"{ana.item()}?answer=1"):
            ana.get(path)
        assert audit.label_log == []
        assert ana.item().startswith("/item/")

    def test_a_link_of_another_site_begins_from_our_own_page(self, enter: Callable[..., Any]) -> None:
        reply = enter("ana").get("/", headers={"Sec-Fetch-Site": "cross-site"})
        assert reply.url.path == "/enter"
        assert 'http-equiv="refresh" content="0; url=/"' in reply.text

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8484", "", "0.0.0.0"])
    def test_other_names_for_this_machine_are_refused(self, enter: Callable[..., Any], host: str) -> None:
        reply = enter().get("/", headers={"Host": host})
        assert reply.status_code == 400
        assert "Question" not in reply.text


class TestToken:
    @pytest.fixture
    def locked(self, make_audit: MakeAudit, open_desk: Open) -> Callable[..., Any]:
        return open_desk(make_audit(), access=Access(token="tok en-ü"))

    def test_nothing_without_it(self, locked: Callable[..., Any]) -> None:
        person = locked()
        for path in ("/", "/done", "/export.csv", "/item/x", "/?token=wrong", "/?token="):
            assert person.get(path).status_code == 403
        assert person.post("/rater", {"name": "ana"}).status_code == 403
        assert person.get("/", headers={"Cookie": "judgefleet-access=x"}).status_code == 403

    def test_it_is_swapped_for_a_cookie(self, locked: Callable[..., Any]) -> None:
        person = locked()
        where = urlsplit(address("host", 1, Access(token="tok en-ü")))
        reply = person.get(f"/?{where.query}", follow_redirects=False)
        assert (reply.status_code, reply.headers["location"]) == (303, "/enter")
        cookie = reply.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "tok" not in cookie.partition("=")[2]
        assert "Who is labelling?" in person.get("/").text
        assert person.post("/rater", {"name": "ana"}).url.path.startswith("/item/")

    def test_it_opens_no_forged_form(self, locked: Callable[..., Any]) -> None:
        person = locked()
        person.get("/", params={"token": "tok en-ü"})
        forged = person.post("/rater", {"name": "x"}, headers={"Origin": "http://evil.example"})
        assert forged.status_code == 403

    def test_other_machines_always_need_one(self) -> None:
        made = {access_for("0.0.0.0", None).token or "" for _ in range(5)}
        assert len(made) == 5
        assert all(len(token) >= 32 for token in made)
        assert access_for("192.168.1.5", "given").token == "given"
        assert access_for("0.0.0.0", None).hosts == ()
        with pytest.raises(ConfigError, match="empty --token"):
            access_for("0.0.0.0", " ")

    def test_this_machine_needs_none_and_answers_to_its_own_names(self) -> None:
        for host in ("127.0.0.1", "localhost", "::1"):
            access = access_for(host, None)
            assert access.token is None
            assert {"127.0.0.1", "localhost", "[::1]"} <= set(access.hosts)
