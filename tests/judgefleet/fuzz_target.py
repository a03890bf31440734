"""What ``fuzz_guided`` runs for each format: readers that say which of their branches an object reached.

Apart from it, since what is imported before cannot say so.
"""

import sys
from importlib import import_module

import atheris

with atheris.instrument_imports(include=["judgefleet.traces"]):
    from judgefleet.traces.reader import FORMATS

    for place in FORMATS.values():
        import_module(place.partition(":")[0])
    from tests.judgefleet import fuzz

if __name__ == "__main__":
    name = sys.argv[1]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: fuzz.check(data, name, thorough=False))
    atheris.Fuzz()
