"""What a sandboxed process runs: ``python -I -S -B sandbox_child.py``, its part as JSON on standard input."""

import json
import os
import sys


def main() -> None:
    """Play the part that standard input says: the code under test, or its tests."""
    # Isolated mode leaves out this folder and what is installed.
    root = __file__.rsplit(os.sep, 3)[0]
    sys.path.insert(0, root)
    from judges.checks.sandbox_code import serve_code
    from judges.checks.sandbox_lock import lock_down
    from judges.checks.sandbox_peer import Peer
    from judges.checks.sandbox_run import report_on_tests

    sys.path.remove(root)
    part = json.loads(sys.stdin.buffer.read())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    tests = part["part"] == "tests"
    peer = Peer(part["read"], part["write"], guarded=tests)
    layers = lock_down(os.curdir, part["limits"])
    if tests:
        report_on_tests(peer, part["source"], part["report"], part["nonce"], layers)
    else:
        serve_code(peer, part["source"], layers)


if __name__ == "__main__":
    main()
