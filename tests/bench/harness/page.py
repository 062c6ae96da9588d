#!/usr/bin/env python3
"""Puts what the last `make bench` measured (build/bench/*.md) into docs/PERFORMANCE.md, below its marker; what stands above it is written by hand.

    python3 tests/bench/harness/page.py [FOLDER]
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / 'docs' / 'PERFORMANCE.md'
MARKER = '<!-- measured: everything below is written by tests/bench/harness/page.py -->'
ORDER = ['small', 'batches', 'fetch', 'flush', 'groups', 'idle', 'start', 'scale', 'counts']
MISSED = 'MISSED: '


def sections(folder):
    """Each suite's text, and the marks that it missed, in the order of the page."""
    files = {path.stem: path for path in folder.glob('*.md')}
    for name in [*(name for name in ORDER if name in files), *sorted(set(files) - set(ORDER))]:
        lines = files[name].read_text().splitlines()
        missed = [f'- {name}: {line[len(MISSED):]}' for line in lines if line.startswith(MISSED)]
        yield '\n'.join('#' + line if line.startswith('# ') else line for line in lines if not line.startswith(MISSED)), missed


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / 'build' / 'bench'
    found = list(sections(folder))
    if not found:
        print(f'nothing was measured in {folder}: make bench')
        return 1
    by_hand, marker, _ = PAGE.read_text().partition(MARKER)
    if not marker:
        print(f'{PAGE} has no line {MARKER}')
        return 1
    missed = [line for _, lines in found for line in lines]
    parts = [by_hand.rstrip(), MARKER, '## Marks that were missed', '\n'.join(missed) or 'None.', *(text.strip() for text, _ in found)]
    PAGE.write_text('\n\n'.join(parts) + '\n')
    return 0


sys.exit(main())
