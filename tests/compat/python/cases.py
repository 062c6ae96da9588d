"""A line a case, `ok` or `FAILED`; see count_cases in tests/node_process.sh."""
import time
import traceback


def case(name, test, *args):
    try:
        test(*args)
        print(f'ok      {name}', flush=True)
    except Exception:  # A case may fail in any way.
        print(f'FAILED  {name}')
        print('\n'.join('        ' + line for line in traceback.format_exc().splitlines()[-12:]), flush=True)


def same(expected, found):
    assert expected == found, f'expected {expected!r}, found {found!r}'


def eventually(holds, what):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, f'not within 20 s: {what}'
        time.sleep(0.01)
