import pytest

from judges.checks.code_blocks import fenced_blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no code", []),
        ("```\na\n```", [("", "a")]),
        ("```python\na\n\nb\n```", [("python", "a\n\nb")]),
        ("``` Python title=x\na\n```", [("python", "a")]),
        ("~~~py\n```\n~~~", [("py", "```")]),
        ("````\n```\na\n```\n````", [("", "```\na\n```")]),
        ("```\na\n`````", [("", "a")]),
        ("```\r\na\r\n```\r\nb", [("", "a")]),
        ("```\na\n``` b\n```", [("", "a\n``` b")]),
        ("   ```\na\n   ```", [("", "a")]),
        ("    ```\na\n```", [("", "")]),
        ("```a`b\nx", []),
        ("```python\nx = 1", [("python", "x = 1")]),
        ("```\na\n```\ntext\n```js\nb\n```", [("", "a"), ("js", "b")]),
        ("```\n```", [("", "")]),
        ("``\na\n``", []),
    ],
)
def test_blocks(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(block.language, block.code) for block in fenced_blocks(text)] == expected
