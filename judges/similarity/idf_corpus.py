"""The texts that say how rare a token is: BERTScore's idf option."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from judgefleet.errors import ConfigError
from judges.similarity.model_files import storable

_JSON_LINES = (".jsonl", ".ndjson")


def read_corpus(given: Path | Sequence[str]) -> tuple[str, ...]:
    """The texts of a corpus: those given, those of a text file, or the references of a JSON Lines file.

    Of a text file (UTF-8) every line is a text, a blank one an empty text. A line of a ``.jsonl`` file is a text in
    quotes, or an object with a ``reference`` (a golden set has such lines; those without one are left out).
    Raises ConfigError when the file cannot be read or no text holds anything.
    """
    texts = _read(given) if isinstance(given, Path) else list(given)
    if not any(text.strip() for text in texts):
        name = repr(str(given)) if isinstance(given, Path) else "the list"
        raise ConfigError(f"idf_corpus: {name} holds no text; give the references, one text a line")
    return tuple(storable(text) for text in texts)


def corpus_digest(texts: Sequence[str]) -> str:
    """SHA-256, 64 hex digits; any other text, order or division into texts gives another.

    >>> corpus_digest(["a b"]) == corpus_digest(["a", "b"])
    False
    """
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()


def _read(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"idf_corpus: {str(path)!r} cannot be read as text ({error}); give a UTF-8 file") from error
    # Not splitlines: it would also break a text at form feeds and Unicode's own line separators.
    lines = text.removesuffix("\n").split("\n")
    if path.suffix.lower() not in _JSON_LINES:
        return lines
    found = (_reference(path, number, line) for number, line in enumerate(lines, 1) if line.strip())
    return [text for text in found if text is not None]


def _reference(path: Path, number: int, line: str) -> str | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"idf_corpus: {path}, line {number} is no JSON ({error}); give one text a line") from error
    text = found.get("reference") if isinstance(found, dict) else found
    if text is not None and not isinstance(text, str):
        raise ConfigError(
            f"idf_corpus: {path}, line {number} holds {str(text)[:60]!r}; give a text or an object with a reference"
        )
    return text
