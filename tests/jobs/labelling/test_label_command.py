"""The command: what it prints, how it ends, what it refuses, and the labels as CSV."""

import csv
import io
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from calibration.audit import Label
from calibration.audit_folder import Audit
from jobs.labelling.export import labels_csv
from jobs.labelling.serve import listen
from judgefleet.errors import ConfigError

MakeAudit = Callable[..., Audit]
Run = Callable[..., CompletedProcess[str]]


class TestRefused:
    def test_no_audit_is_one_message(self, run: Run, tmp_path: Path) -> None:
        done = run("label", str(tmp_path / "none"))
        assert done.returncode == 2
        assert "no audit in" in done.stderr
        assert not done.stdout

    def test_a_port_that_is_taken(self, run: Run, make_audit: MakeAudit) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = run("label", make_audit().uri, "--port", port)
        assert done.returncode == 2
        assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in done.stderr

    @pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("203.0.113.7", 0), ("", 70_000)])
    def test_an_address_that_cannot_be_had(self, host: str, port: int) -> None:
        with pytest.raises(ConfigError, match="cannot listen on"):
            listen(host, port)


class TestExport:
    def test_labels_of_everybody_that_hold(
        self, run: Run, make_audit: MakeAudit, label: Callable[..., Label], tmp_path: Path
    ) -> None:
        audit = make_audit()
        audit.append_label(label(item_id="q", rater="ana", label="A", order=(1, 0), at="2026-11-20T10:00:00Z"))
        audit.append_label(label(item_id="q", rater="ana", label="TIE", order=(1, 0), note='so, "so"\nla'))
        audit.append_label(label(item_id="q", rater="bo", score=4.0, adjudicated=True))
        audit.append_label(label(item_id="r", rater="bo", skipped=True))
        out = tmp_path / "labels.csv"
        assert run("label", audit.uri, "--export", str(out)).returncode == 0
        printed = run("label", audit.uri, "--export", "-")
        assert printed.stdout == out.read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(printed.stdout)))
        assert rows == [
            {
                "item_id": "q",
                "rater": "ana",
                "label": "TIE",
                "score": "",
                "note": 'so, "so"\nla',
                "at": "",
                "order": "1 0",
                "adjudicated": "false",
            },
            {
                "item_id": "q",
                "rater": "bo",
                "label": "",
                "score": "4.0",
                "note": "",
                "at": "",
                "order": "",
                "adjudicated": "true",
            },
        ]

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_a_spreadsheet_runs_nothing(self, text: str) -> None:
        (row,) = csv.DictReader(io.StringIO(labels_csv([Label(item_id="q", rater="ana", note=text)]), newline=""))
        assert row["note"] == f"'{text}".replace("\r", "\n")

    def test_what_cannot_be_written_is_replaced(self) -> None:
        labels_csv([Label(item_id="q\ud800", rater="a\0na", score=-1.0)]).encode()
