"""The bundled example: the configuration of ``judgefleet demo``, with the paths of this installation."""

from pathlib import Path

from jobs.config import BatchConfig, load_batch_config
from judgefleet.errors import ConfigError

ROOT = Path(__file__).parents[1]


def demo_config(out: Path) -> BatchConfig:
    """configs/demo.yaml with its data found from anywhere, storing to ``out``.

    Raises ConfigError when the example data is not there: it comes with the repository, not with the package.
    """
    path = ROOT / "configs" / "demo.yaml"
    if not path.is_file():
        raise ConfigError(
            f"the example is not installed ({path} is missing); run the demo from a clone of the repository"
        )
    config = load_batch_config(path)
    given = config.model_dump(exclude_unset=True)
    given["store"] = str(out)
    given["input"] |= {key: str(ROOT / given["input"][key]) for key in ("uri", "golden")}
    for scorer in given["scorers"]:
        if "policy" in scorer:
            scorer["policy"] = str(ROOT / scorer["policy"])
    return BatchConfig.model_validate(given)
