"""Reads one record of feedback, its fields under the names that Langfuse, Phoenix, MLflow and OpenTelemetry have."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_text, as_time
from judges.measures.feedback_names import same_name
from judges.measures.feedback_piece import NOTHING, Found
from judges.measures.feedback_values import is_nothing, kind_of

# Names of fields as ``same_name`` has them.
_AUTHOR = ("annotatorkind", "source", "sourcetype", "author")
_SORT_OF_AUTHOR = ("sourcetype", "type", "kind")
_PEOPLE = frozenset(("human", "annotation", "user", "enduser"))
_MACHINES = re.compile(r"llm.*|ai|aijudge|judge|code|eval(uat(ion|or))?|model|machine|auto(mat(ic|ed))?|heuristic")
_NAME = ("genaievaluationname", "name")
_TELLING = ("rating", "stars", "thumbs")
_VALUE = (*_TELLING, "genaievaluationscorevalue", "value", "stringvalue", "score", "genaievaluationscorelabel", "label")
# What sort of value it is, in some formats the value.
_TYPE = ("datatype", "type", "feedbacktype")
_TIME = ("updatedat", "lastupdatetime", "timestamp", "createdat", "createtime", "time")
_ABOUT = frozenset((*_AUTHOR, *_NAME, *_TIME, "datatype", "id"))
_LONGEST_NAME = 100


class Record:
    """A record with whatever fields.

    >>> record = Record({"name": "thumbs", "stringValue": "down", "source": {"source_type": "LLM_JUDGE"}})
    >>> record.called, record.by_machine, record.read("scores", "scores[0]").values
    ('thumbs', True, ('down',))
    """

    def __init__(self, raw: Mapping[Any, Any]) -> None:
        self._raw = raw
        self._fields = {same_name(str(name)): value for name, value in raw.items() if not is_nothing(value)}
        self._authors = {same_name(author) for author in self._said_authors()} - {"api"}

    @property
    def called(self) -> str:
        """The name of what was judged, "" where it has none."""
        return next(iter(self._texts(_NAME)), "")[:_LONGEST_NAME]

    @property
    def by_machine(self) -> bool:
        """Whether it names an author that is no person."""
        return any(map(_MACHINES.fullmatch, self._authors))

    @property
    def by_person(self) -> bool:
        """Whether it says that a person is the author."""
        return not self._authors.isdisjoint(_PEOPLE)

    @property
    def by_nobody(self) -> bool:
        """Whether it says nothing of its author; that it came over an interface says nothing."""
        return not self._authors

    def read(self, attribute: str, where: str, *beside: str, no: str = "") -> Found:
        """What stands in it. ``beside``: names that say what it says nowhere itself; ``no``: why it does not count."""
        values = () if no else self._values()
        telling = [name for name in _TELLING if name in self._fields]
        names = (*self._texts(_TYPE), self.called, *telling, attribute, *beside)
        return Found(
            where=f"{where} ({self.called})" if self.called else where,
            series=(attribute, self.called),
            values=values,
            names=tuple(name[:_LONGEST_NAME] for name in names),
            at=self._time(),
            no=no or ("" if values else NOTHING),
        )

    def _values(self) -> tuple[Any, ...]:
        """Values and labels; all of it where it has no field for them, since something else may have been meant."""
        given = [self._fields[name] for name in _VALUE if isinstance(self._fields.get(name), str | bool | int | float)]
        found = (*given, *(text for text in self._texts(_TYPE) if kind_of(text)))
        emptied = any(same_name(str(name)) in _VALUE and is_nothing(value) for name, value in self._raw.items())
        return found if found or emptied or self._fields.keys() <= _ABOUT else (as_text(self._raw),)

    def _time(self) -> datetime | None:
        try:
            return next((as_time(self._fields[name]) for name in _TIME if name in self._fields), None)
        except UnreadableError:
            return None

    def _texts(self, names: tuple[str, ...]) -> list[str]:
        return [text for name in names if isinstance(text := self._fields.get(name), str)]

    def _said_authors(self) -> Iterator[str]:
        yield from self._texts(_AUTHOR)
        source = self._fields.get("source")
        if isinstance(source, Mapping):
            yield from Record(source)._texts(_SORT_OF_AUTHOR)
