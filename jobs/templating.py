"""Templates that show foreign text as text."""

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jobs.wording import visible


@lru_cache
def environment(package: str) -> Environment:
    """The templates of ``package``. Escapes everything, and first makes visible what escaping leaves: controls and
    reordering characters."""
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=PackageLoader(package, "templates"),
        finalize=lambda x: visible(x) if isinstance(x, str) and not isinstance(x, Markup) else x,
    )
