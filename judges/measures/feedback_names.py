"""What a name beside a piece of feedback says: that it is feedback, of which kind, and which way its thumb points."""

import re
from collections.abc import Iterable

from judges.measures.feedback_values import Kind

# As a person writes them; ``same_name`` tells which others are the same. What counts most comes first.
NAMES = (
    "user_feedback",
    "feedback",
    "feedback_value",
    "feedback_score",
    "feedback_rating",
    "feedback_type",
    "user_rating",
    "rating",
    "star_rating",
    "stars",
    "thumbs",
    "thumb",
)
_UPS = frozenset(("thumbsup", "like", "likes", "liked", "upvote", "upvotes", "upvoted", "👍"))
_DOWNS = frozenset(("thumbsdown", "dislike", "dislikes", "disliked", "downvote", "downvotes", "downvoted", "👎"))
_BLAME = frozenset(("unhelpful", "unsatisfied", "dissatisfied"))
_THUMBS = frozenset(("thumb", "thumbs", "boolean", "bool"))
_STARS = frozenset(("rating", "ratings", "star", "stars"))
_POINTING = frozenset(("thumb", "thumbs", "vote"))
_PRAISE = frozenset(("helpful", "useful", "satisfied"))
_OTHERS = frozenset(("feedback", "votes", "voted", "rate", "rated", "csat", "nps", "helpfulness", "satisfaction"))
_FEEDBACK = frozenset().union(_UPS, _DOWNS, _BLAME, _STARS, _POINTING, _PRAISE, _OTHERS)
# With these a name still says feedback as such; with any other word it says on what, which is a criterion.
_BESIDE = re.compile(
    "a|an|the|this|that|it|its|is|was|are|were|did|do|does|how|you|your|i|me|my|us|our|of|on|for|by|from|or|and|with|to|"
    "in|at|up|down|not|users?|end|enduser|customer|client|human|visitor|member|agent|bot|chatbot|assistant|ai|llm|model|"
    "app|chat|message|conversation|session|thread|turn|trace|span|run|answer|response|reply|output|result|completion|"
    "generation|overall|total|general|explicit|score|value|type|level|label|button|click|widget|survey|given|left|raw"
)
_BETWEEN = str.maketrans("", "", "-_. \t\r\n")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|[👍👎]")


def same_name(name: str) -> str:
    """``name`` without what differs between spellings: capitals, dots, hyphens, underscores and blanks.

    >>> same_name("User-Feedback") == same_name("user.feedback") == same_name("userFeedback")
    True
    """
    return name.lower().translate(_BETWEEN)


KNOWN = tuple(map(same_name, NAMES))


def says_feedback(name: str) -> bool:
    """Whether ``name`` is one of NAMES, or its words say feedback and nothing beyond it.

    >>> [says_feedback(name) for name in ("customer satisfaction", "userThumbs", "difficulty rating", "thumbnail")]
    [True, True, False, False]
    """
    words = _words(name)
    more = words - _FEEDBACK
    return same_name(name) in KNOWN or (more != words and all(map(_BESIDE.fullmatch, more)))


def points(name: str) -> bool | None:
    """Which way the thumb points that ``name`` is: True for up, False for down, None for any other name.

    >>> points("thumbs_up"), points("user dislike"), points("not_helpful"), points("helpful"), points("thumbs_up_down")
    (True, False, False, None, None)
    """
    words = _words(name)
    pointing = len(words) == 1 or not words.isdisjoint(_POINTING)
    up = not words.isdisjoint(_UPS) or (pointing and "up" in words)
    down = not words.isdisjoint(_DOWNS | _BLAME) or (pointing and "down" in words)
    if "not" in words:
        up, down = down, up or not words.isdisjoint(_PRAISE)
    return up if up != down else None


def kind_by(names: Iterable[str]) -> Kind | None:
    """What the first of ``names`` that says a kind says; whole words, so that "generating" is no rating.

    >>> kind_by(["generating", "star_rating", "thumbs"]), kind_by(["BOOLEAN"]), kind_by(["thumbnail"])
    ('rating', 'thumbs', None)
    """
    for name in names:
        words = _words(name)
        if not words.isdisjoint(_THUMBS) or points(name) is not None:
            return "thumbs"
        if not words.isdisjoint(_STARS):
            return "rating"
    return None


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_CAPITAL.sub("_", name).lower()))
