"""How many tokens a text has in the eyes of a model, read from its tokenizer alone."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from judgefleet.errors import ConfigError
from judges.models import resolve_model

_FILE = "tokenizer.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCounter:
    """Counts tokens; ``digest`` is SHA-256 (64 hex digits) of the tokenizer's file. Can be pickled."""

    tokenizer: Any
    digest: str

    @property
    def config(self) -> dict[str, str]:
        """What decides the count, for a fingerprint."""
        return {"tokens": self.digest, "tokenizers_version": version("tokenizers")}

    def count(self, text: str) -> int:
        """Tokens of ``text`` without those that a model adds at the ends; special tokens in it are ordinary text."""
        # A batch would be faster, but its threads make every later fork of the process complain.
        readable = text.encode("utf-8", "replace").decode()
        return len(self.tokenizer.encode(readable, add_special_tokens=False).ids)


def load_counter(model: str) -> TokenCounter:
    """The tokenizer of ``model``: a folder with a tokenizer.json, or whatever ``resolve_model`` takes.

    Raises ConfigError when there is no such model, or none of its tokenizer.
    """
    from tokenizers import Tokenizer

    path = Path(model).expanduser() / _FILE
    if not path.is_file():
        path = resolve_model(model).path / _FILE
    try:
        written = path.read_bytes()
        tokenizer = Tokenizer.from_str(written.decode("utf-8"))
    except Exception as error:
        raise ConfigError(
            f"tokens: {str(path)!r} cannot be read as a tokenizer ({error}); give a folder with a {_FILE}, "
            "as save_pretrained of a fast tokenizer writes it"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return TokenCounter(tokenizer=tokenizer, digest=hashlib.sha256(written).hexdigest())
