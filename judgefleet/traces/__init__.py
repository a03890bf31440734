"""Trace readers: one module a format, one line each in ``reader.FORMATS``."""

from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reader import FORMATS, read_object
from judgefleet.traces.reject import Reject

__all__ = ["FORMATS", "ReadOptions", "Reject", "read_object"]
