"""What every page of ours has: its own style and script, a policy that allows these alone, and a file written whole."""

import base64
import hashlib
import os
import tempfile
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from judgefleet.errors import StoreError


def assets() -> dict[str, Markup]:
    """The page's own style and script, and the policy that allows these two and nothing else."""
    folder = files("jobs") / "templates"
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    rules = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    # Our own files: the only text on the page that is not escaped.
    return {"style": Markup(style), "script": Markup(script), "policy": Markup("; ".join(rules))}  # noqa: S704


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write_page(page: str, path: Path | str) -> Path:
    """Write ``page`` to the local file ``path``, whole or not at all. Raises StoreError when it cannot be written."""
    target = Path(path)
    try:
        _replace(target, page.encode())
    except OSError as error:
        raise StoreError(f"cannot write the report to {str(target)!r}: {error.strerror}; name another path") from error
    return target


def _replace(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
