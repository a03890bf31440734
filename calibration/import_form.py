"""What a row of a file that people bring may turn out to be, and why it may be of no use."""

from calibration.audit import AuditItem, Label, Recorded

Found = AuditItem | Label | Recorded


class RowError(Exception):
    """The row cannot be used; the text says what was found and what is allowed."""


class NotHumanError(RowError):
    """A score that no person gave."""
