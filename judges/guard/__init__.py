"""A guard for the request path: deterministic checks of one answer, in well under a millisecond, without any model.

What goes here and what goes to the judge is said in docs/guard.md. Importing this loads the standard library alone.
"""

from judges.guard.finding import CannotRedactError, Finding, Verdict
from judges.guard.guard import Guard

__all__ = ["CannotRedactError", "Finding", "Guard", "Verdict"]
