"""What holds for the whole tree: what is in it, what is not, what its documents say, what importing it costs."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("ray", "vllm", "torch", "transformers", "sentence_transformers")

# Built from pieces, so that this file does not contain what it forbids.
HOSTS = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("download", "pytorch", "org"), ("npmjs", "org"))
]
PATHS = ["/" + name for name in ("work", "tmp", "root", "opt/pypi", "opt/wheels", "home/[a-z]+")]
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.~$}})>-]){path}(?![\w-])" for path in PATHS)]))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def tracked(pattern: str = "*") -> list[Path]:
    """Files that git tracks and that are still there, as paths from the root."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in names.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return (ROOT / path).read_bytes().decode("utf-8", errors="ignore")


def python(code: str) -> str:
    """What the code prints in a fresh interpreter that starts in the repository root."""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def anchors(document: str) -> set[str]:
    """Anchors of a Markdown document's headings, as code forges make them."""
    headings = re.findall(r"^#+ +(.+?) *$", document, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, document: str) -> Iterator[str]:
    for target in LINK.findall(document):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / name if name else ROOT / page
        if not linked.exists() or (anchor and anchor not in anchors(linked.read_text(encoding="utf-8"))):
            yield f"{page}: {target}"


def test_there_is_a_tree_to_check() -> None:
    assert Path("pyproject.toml") in tracked()
    assert len(tracked("*.py")) > 10


def test_tests_are_no_package() -> None:
    # tests/judges/__init__.py would answer `import judges` before the package does.
    assert [path for path in tracked("tests") if path.name == "__init__.py"] == []


def test_datasets_has_no_python() -> None:
    # A Python file there would answer `import datasets` before Hugging Face's package does.
    assert [path for path in tracked("datasets") if path.suffix in {".py", ".pyi", ".so", ".pth"}] == []


def test_no_index_host_and_no_machine_path_is_tracked() -> None:
    found = [f"{path}: {hit.group()}" for path in tracked() for hit in FORBIDDEN.finditer(text_of(path))]
    assert found == []


@pytest.mark.parametrize(
    "text", ["see https://" + HOSTS[0] + "/x", "open('" + PATHS[0] + "/a')", "cd " + PATHS[1], PATHS[2] + "/.cache"]
)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["s3://bucket/tmp/x", "the workers/tmp", "~/work", PATHS[0] + "ers", "a and/or b"])
def test_what_is_harmless_is_not(text: str) -> None:
    assert not FORBIDDEN.search(text)


def test_links_in_documents_resolve() -> None:
    assert [broken for page in tracked("*.md") for broken in broken_links(page, text_of(page))] == []


def test_a_broken_link_is_found() -> None:
    page = Path("docs/setup.md")
    assert list(
        broken_links(page, "[a](nowhere.md) [b](#no-such-heading) [c](../LICENSE) [d](https://example.com/x)")
    ) == [
        "docs/setup.md: nowhere.md",
        "docs/setup.md: #no-such-heading",
    ]


def test_commands_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(Path("Makefile")), flags=re.MULTILINE))
    named = {name for page in tracked("*.md") for name in re.findall(r"(?m)(?:^|`|\$ )make ([a-z]+)", text_of(page))}
    assert {"setup", "test", "check"} <= named <= targets


def test_the_licence_is_the_one_declared() -> None:
    project = tomllib.loads(text_of(Path("pyproject.toml")))["project"]
    licence = text_of(Path("LICENSE"))
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert "judgefleet maintainers" in licence


def test_importing_loads_no_model_library() -> None:
    loaded = python(
        "import importlib, pkgutil, sys\n"
        "for name in ('judgefleet', 'calibration', 'experiments', 'judges'):\n"
        "    package = importlib.import_module(name)\n"
        "    for module in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "import jobs\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})))\n"
    )
    assert loaded == "[]"


def test_the_command_line_starts_without_model_libraries() -> None:
    project = tomllib.loads(text_of(Path("pyproject.toml")))["project"]
    module = project["scripts"]["judgefleet"].partition(":")[0]
    assert python(f"import sys, {module}\nprint(sorted(set(sys.modules) & set({HEAVY!r})))") == "[]"


@pytest.mark.slow
def test_the_data_folder_does_not_shadow_hugging_face_datasets() -> None:
    imported = python(
        "import sentence_transformers, transformers, ray.data.llm, vllm\n"
        "import datasets\n"
        "print(datasets.__file__, hasattr(datasets, 'load_dataset'))"
    )
    assert imported.endswith("site-packages/datasets/__init__.py True")
