"""python3 -m tests.scenarios.checkers C1 [C3 ...] < history: what is wrong, a line each; exit code 1 if anything is."""
import sys

from . import CHECKERS
from .history import History


def main():
    history = History(sys.stdin)
    found = [f'{name}: {text}' for name in sys.argv[1:] or CHECKERS for text in CHECKERS[name].check(history)]
    print('\n'.join(found))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
