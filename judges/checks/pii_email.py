"""E-mail addresses in plain text, also where a script that needs no spaces runs into them."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

_AT = re.compile(r"(?<=[\w+%'-])@(?=[^\W_])")
# Read backwards from the @. Signs that join values in addresses of pages (/ = & ?) end it, though RFC 5322 has them.
_LOCAL = re.compile(r"[\w.+%'-]{1,64}")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})", re.IGNORECASE)
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255
# image@2x.png is a file name.
_NO_DOMAINS = frozenset({"avif", "css", "gif", "ico", "jpeg", "jpg", "js", "json", "png", "svg", "webp"})
# First words of the names of characters that one text mixes freely; and scripts in which words touch each other.
_EAST_ASIAN = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "HALFWIDTH"}
)
_WITHOUT_SPACES = frozenset({"CJK", "THAI", "LAO", "KHMER", "MYANMAR"})


def find_emails(text: str, tick: Callable[[], None]) -> Iterator[tuple[int, int, str]]:
    """Start, end and case-folded form of every address.

    >>> list(find_emails("请联系help@shop.example吧", lambda: None))
    [(3, 20, 'help@shop.example')]
    """
    for at in (found.start() for found in _AT.finditer(text)):
        tick()
        before = _LOCAL.match(text[max(0, at - _LONGEST_LOCAL) : at][::-1])
        after = _DOMAIN.match(text[at + 1 : at + 1 + _LONGEST_DOMAIN])
        domain = _domain(after.group()) if after else ""
        local = _local(before.group()[::-1], domain) if before and domain else ""
        if local:
            yield at - len(local), at + 1 + len(domain), f"{local}@{domain}".casefold()


def _domain(found: str) -> str:
    """``found`` without text that follows in another script or as a new sentence; empty where no domain is left."""
    changes = [] if found.isascii() else [*_changes(found)]
    for end in (*changes, len(found)):
        if _DOMAIN.fullmatch(found, 0, end) and not any(found.rindex(".", 0, end) < at < end for at in changes):
            found = found[:end]
            break
    else:
        return ""
    head, _, last = found.rpartition(".")
    if last.istitle() and head == head.lower() and _DOMAIN.fullmatch(head):
        found = head
    return "" if found.rpartition(".")[2].lower() in _NO_DOMAINS else found


def _changes(domain: str) -> Iterator[int]:
    """Where a letter is of another script than the first one of its label."""
    script = ""
    for at, c in enumerate(domain):
        script = "" if c == "." else script or _script(c)
        if _script(c) not in ("", script):
            yield at


def _local(found: str, domain: str) -> str:
    """The end of ``found`` that is in one script: that of its last letter, or of the domain if text may touch it."""
    scripts = [_script(c) for c in found] if not found.isascii() else []
    script = next((s for s in reversed(scripts) if s), "")
    if scripts and not scripts[-1] and script in _WITHOUT_SPACES:
        script = next((s for s in map(_script, domain) if s), "")
    start = next((at for at in range(len(scripts), 0, -1) if scripts[at - 1] not in ("", script)), 0)
    return found[start:].lstrip("._+%'-")


@lru_cache(maxsize=4096)
def _script(c: str) -> str:
    """The script of a letter, as the name of the character says it; empty for all that goes with any script."""
    first = unicodedata.name(c, "").split(" ", 1)[0] if c.isalpha() else ""
    return "CJK" if first in _EAST_ASIAN else first
