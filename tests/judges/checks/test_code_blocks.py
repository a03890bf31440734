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
        # Without as much indent as the opening fence has (examples 131 to 133 of the specification).
        (" ```\n aaa\naaa\n```", [("", "aaa\naaa")]),
        ("  ```\naaa\n  aaa\naaa\n  ```", [("", "aaa\naaa\naaa")]),
        ("   ```\n   aaa\n    aaa\n  aaa\n   ```", [("", "aaa\n aaa\naaa")]),
        ("  ```\n\ta\n\t\tb\n  ```", [("", "  a\n      b")]),
        ("```\n\ta\n```", [("", "\ta")]),
        # In lists.
        ("1. Do:\n   ```python\n   def f():\n       return 1\n   ```\nb", [("python", "def f():\n    return 1")]),
        ("- ```py\n  a\n  ```\n- b", [("py", "a")]),
        ("-\n  ```\n  a\n  ```", [("", "a")]),
        ("1. a\n\n    ```\n    b\n\n      c\n    ```", [("", "b\n\n  c")]),
        ("10) a\n    - b\n\n        ```\n        c\n        ```\n        d", [("", "c")]),
        ("* a\n        ```\n        b\n        ```", [("", "b")]),
        ("-\ta\n\n\t```\n\tb\n\t\tc\n\t```", [("", "b\n    c")]),
        (
            "1. a\n   ```\n   '''\n       ```\n       b\n       ```\n   '''\n   ```",
            [("", "'''\n    ```\n    b\n    ```\n'''")],
        ),
        ("1. a\n   ```\n   x = '''\nb\n'''\n   ```", [("", "x = '''\nb\n'''")]),
        ("1. a\n   ```\ndef f():\n  return 1\n```\nb", [("", "def f():\n  return 1")]),
        ("1. a\n   ```\n   b\n   ```\n2. c\n   ~~~js\n   d\n   ~~~", [("", "b"), ("js", "d")]),
        ("- a\n\ntext\n\n    ```\n    b\n    ```", []),
        ("def f():\n    '''\n    ```\n    f()\n    ```\n    '''", []),
        # In block quotes.
        ("> ```python\n> def f():\n>     return 1\n>\n> ```\nb", [("python", "def f():\n    return 1\n")]),
        ("> ```\n> a\nb\n```\nc\n```", [("", "a"), ("", "c")]),
        (">```\n>> a\n>```", [("", "> a")]),
        ("> > ```\n> > a\n> > ```", [("", "a")]),
        ("> 1. a\n>    ```\n>    b\n>      c\n>    ```", [("", "b\n  c")]),
        ("1. a\n   > ```\n   > b\n   > ```", [("", "b")]),
        ("```\n> a\n```", [("", "> a")]),
    ],
)
def test_blocks(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(block.language, block.code) for block in fenced_blocks(text)] == expected
