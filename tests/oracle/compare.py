#!/usr/bin/env python3
"""Compares what a broker answered with what Kafka answered, field by field: compare.py KAFKA OURS DIFFERENCES

A line of answers is `API<tab>version<tab>case<tab>JSON`; the n-th line of an API, version and case is compared with the other side's
n-th. Lines without JSON are items of a set, and compared whole.

A line of DIFFERENCES is `pattern # reason`. The pattern is a regular expression over a whole difference, which is for a field
`API<tab>version<tab>case<tab>path: Kafka's JSON -> our JSON` (`nothing` where a side lacks it), and for a line the line itself.
No pattern may excuse an error code, an offset, an epoch, a timestamp, or the value of a setting other than flush.messages; one that
matches nothing fails.
"""
import collections
import json
import pathlib
import re
import sys
import tempfile

NEVER = re.compile(r'.*\b(?:errorCode|\w*offset|\w*epoch|\w*timestamp\w*|\w*timems|\w*watermark|value|connection)$', re.IGNORECASE)
MAY_DIFFER = ('log.flush.interval.messages', 'flush.messages')
KEYS = ('name', 'apiKey')
NOTHING = object()


def fields_that_differ(kafka, ours, path=''):
    if isinstance(kafka, dict) and isinstance(ours, dict):
        for name in kafka | ours:
            yield from fields_that_differ(kafka.get(name, NOTHING), ours.get(name, NOTHING), f'{path}.{name}' if path else name)
    elif isinstance(kafka, list) and isinstance(ours, list):
        rows, our_rows = rows_by_key(kafka), rows_by_key(ours)
        if rows and our_rows:
            for key in rows | our_rows:
                yield from fields_that_differ(rows.get(key, NOTHING), our_rows.get(key, NOTHING), f'{path}[{key}]')
            return
        for i in range(max(len(kafka), len(ours))):
            yield from fields_that_differ(kafka[i] if i < len(kafka) else NOTHING, ours[i] if i < len(ours) else NOTHING, f'{path}[{i}]')
    elif kafka is NOTHING or ours is NOTHING or kafka != ours or type(kafka) is not type(ours):
        yield path, kafka, ours


def rows_by_key(rows):
    """Rows that have a key are compared by it, so that one that is missing does not shift the others."""
    for key in KEYS:
        if all(isinstance(row, dict) and key in row for row in rows) and len({row[key] for row in rows}) == len(rows):
            return {row[key]: row for row in rows}
    return None


def may_differ(path):
    return not NEVER.match(path) or path.endswith(tuple(f'[{name}].value' for name in MAY_DIFFER))


def shown(value):
    return 'nothing' if value is NOTHING else json.dumps(value, ensure_ascii=False)


class Differences:
    """What is meant to differ, and what was found to differ and is not meant to."""

    def __init__(self, path):
        self.meant = []
        self.used = set()
        self.found = []
        for line in open(path, encoding='utf-8').read().splitlines():
            if line.strip() and not line.startswith('#'):
                pattern, _, reason = line.partition(' # ')
                if not reason.strip():
                    raise SystemExit(f'no reason is given for {pattern}')
                self.meant.append(re.compile(pattern.strip()))

    def add(self, difference, *, excusable):
        matching = [pattern for pattern in self.meant if pattern.fullmatch(difference)]
        self.used.update(matching)
        if not matching or not excusable:
            self.found.append(difference + (' (this may not differ)' if matching else ''))

    def finish(self):
        self.found += [f'no longer differs: {pattern.pattern}' for pattern in self.meant if pattern not in self.used]
        return self.found


def answers(path):
    """Lines with JSON by (API, version, case, how many of these before), and the others."""
    parsed, others, seen = {}, [], collections.Counter()
    for line in open(path, encoding='utf-8').read().splitlines():
        head, _, body = line.rpartition('\t')
        if not body.startswith('{'):
            others.append(line)
            continue
        seen[head] += 1
        parsed[head, seen[head]] = json.loads(body)
    return parsed, others


def compare_answers(kafka, ours, differences):
    fields = 0
    for head, n in kafka | ours:
        answer, other = kafka.get((head, n)), ours.get((head, n))
        if answer is None or other is None:
            differences.add(f'{head}\t{"Kafka" if other is None else "ours"} alone has this answer, the {n}. of its kind', excusable=False)
            continue
        fields += json.dumps(answer).count('":')
        for path, one, two in fields_that_differ(answer, other):
            differences.add(f'{head}\t{path}: {shown(one)} -> {shown(two)}', excusable=may_differ(path))
    return fields


def compare_lines(kafka, ours, differences):
    """Rows of a `describe` name a setting in their fifth cell; ours may have settings of its own."""
    settings = {tuple(line.split('\t')[:5]) for line in kafka}
    for lines, other in ((kafka, set(ours)), (ours, set(kafka))):
        for line in lines:
            if line not in other:
                key = tuple(line.split('\t')[:5])
                differences.add(line, excusable=key not in settings or key[-1] in MAY_DIFFER)
    return sum(len(line.split('\t')) for line in kafka)


def self_test():
    """The rules above, on answers of two lines."""
    def found(kafka, ours, *meant):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder, name) for name in ('kafka', 'ours', 'meant')]
            for path, lines in zip(paths, (kafka, ours, meant)):
                path.write_text('\n'.join(lines), encoding='utf-8')
            return compare(*paths)[0]

    one = 'A\t1\tcase\t{"rows":[{"name":"x","errorCode":0,"text":"a"}],"list":[1]}'
    two = 'A\t1\tcase\t{"rows":[{"name":"x","errorCode":0,"text":"b"}],"list":[1]}'
    bad = 'A\t1\tcase\t{"rows":[{"name":"x","errorCode":3,"text":"a"}],"list":[1]}'
    assert not found([one], [one])
    assert found([one], [two]) == ['A\t1\tcase\trows[x].text: "a" -> "b"']
    assert not found([one], [two], r'A\t1\tcase\trows\[x\]\.text: "a" -> "b" # why')
    assert 'may not differ' in found([one], [bad], '.* # an error code')[0]
    assert 'no longer differs' in found([one], [one], 'A.* # nothing')[0]
    assert 'ours alone' in found([one], [one, one])[0] and 'Kafka alone' in found([one, one], [one])[0]
    setting = 'describe\tnow\tTOPIC\tt\t{}\t{}'
    flush, other = setting.format('flush.messages', '1'), setting.format('retention.ms', '1')
    assert not found([flush + '0'], [flush], '.*flush.* # why')
    assert len(found([other + '0'], [other], '.*retention.* # why')) == 2
    print('the comparison sees what it should')


def compare(kafka_path, our_path, differences_path):
    """What differs and is not meant to, and how much was compared."""
    kafka, kafka_lines = answers(kafka_path)
    ours, our_lines = answers(our_path)
    differences = Differences(differences_path)
    fields = compare_answers(kafka, ours, differences) + compare_lines(kafka_lines, our_lines, differences)
    count = len(kafka) + len(kafka_lines)
    return differences.finish() or ([] if count else ['there are no answers']), f'{count} answers of Kafka with {fields} fields compared'


def main():
    if sys.argv[1:] == ['--self-test']:
        self_test()
        return 0
    found, compared = compare(*sys.argv[1:4])
    for difference in found[:200]:
        print(difference)
    print(f'{compared}, {len(found)} differences that are not meant')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
