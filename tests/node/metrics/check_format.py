"""Whether a text is Prometheus' format 0.0.4: by the rules that its documentation gives, and by the parser of its Python client where that is installed."""
import re
import sys

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf'({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)')


def check(text):
    assert text.endswith('\n')
    told = []  # families, in their order
    kind, seen = {}, set()
    for line in text.splitlines():
        if line.startswith('# HELP '):
            name = line.split(' ')[2]
            assert name not in told, f'{name} comes twice'
            told.append(name)
        elif line.startswith('# TYPE '):
            _, _, name, what = line.split(' ')
            assert name == told[-1] and what in ('counter', 'gauge'), line
            kind[name] = what
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match.group(1) == told[-1] and told[-1] in kind, f'{line} is not with its family'
            assert match.group(1, 2) not in seen, f'{line} comes twice'
            seen.add(match.group(1, 2))
    assert len(told) > 30 and len(seen) > 40, (len(told), len(seen))
    assert set(told) == {name for name, _ in seen}


def check_with_client(text):
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        print('python3-prometheus-client is not installed: its parser is not asked')
        return
    families = list(text_string_to_metric_families(text))
    samples = sum(len(family.samples) for family in families)
    assert samples == sum(1 for line in text.splitlines() if not line.startswith('#')), samples


check(open(sys.argv[1]).read())
check_with_client(open(sys.argv[1]).read())
