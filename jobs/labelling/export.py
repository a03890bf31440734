"""Labels as CSV.

A text that a spreadsheet would run as a formula gets an apostrophe before it. The files in labels/ are exact.
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from calibration.audit import Label
from calibration.audit_folder import Audit
from judgefleet.storage import open_location, write_atomic

COLUMNS = ("item_id", "rater", "label", "score", "note", "at", "order", "adjudicated")
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def export_labels(audit: Audit, target: str) -> int:
    """Write the labels of all raters that hold to ``target``, or to stdout for ``-``; returns their number.

    Raises ConfigError where there is no audit, or the file cannot be written.
    """
    _ = audit.info
    labels = audit.labels
    text = labels_csv(labels)
    if target == "-":
        sys.stdout.write(text)
    else:
        write_atomic(open_location(target), text.encode())
    return len(labels)


def labels_csv(labels: Iterable[Label]) -> str:
    """One line a label, in the order given. ``order``: positions as shown, with a space between."""
    return table_csv(COLUMNS, (_row(label) for label in labels))


def table_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with a header; every text guarded."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _guarded(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _row(label: Label) -> dict[str, object]:
    return {
        "item_id": label.item_id,
        "rater": label.rater,
        "label": label.label,
        "score": label.score,
        "note": label.note,
        "at": label.at,
        "order": " ".join(map(str, label.order)),
        "adjudicated": str(label.adjudicated).lower(),
    }


def _guarded(value: object) -> object:
    """
    >>> _guarded("=HYPERLINK(1)"), _guarded("fine"), _guarded(-1.5)
    ("'=HYPERLINK(1)", 'fine', -1.5)
    """
    if not isinstance(value, str):
        return value
    text = _UNWRITABLE.sub("\ufffd", "\n".join(value.splitlines()) if "\r" in value else value)
    return f"'{text}" if _FORMULA.match(text) else text
