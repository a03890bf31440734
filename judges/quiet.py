"""Loading a model without the progress bars and load reports of the libraries that do it."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Hide reports of transformers, and progress bars where stderr is no terminal; errors are raised as ever."""
    # Imported before stderr is replaced: transformers keeps the stream of its first import for good.
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        if sys.stderr.isatty():
            yield
        else:
            with redirect_stderr(io.StringIO()):
                yield
    finally:
        logging.set_verbosity(verbosity)
