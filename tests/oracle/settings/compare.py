#!/usr/bin/env python3
"""Compares two outputs of DescribeAndAlter, line by line: compare.py KAFKA OURS DIFFERENCES

A line of DIFFERENCES is `pattern # reason`; a pattern is a regular expression over a whole line of KAFKA or OURS.
"""
import re
import sys


def main():
    kafka, ours = (open(path, encoding='utf-8').read().splitlines() for path in sys.argv[1:3])
    meant = []
    for line in open(sys.argv[3], encoding='utf-8').read().splitlines():
        if line.strip() and not line.startswith('#'):
            pattern, _, reason = line.partition(' # ')
            if not reason.strip():
                raise SystemExit(f'no reason is given for {pattern}')
            meant.append(re.compile(pattern.strip()))
    used = set()
    failed = 0
    ours_lines, kafka_lines = set(ours), set(kafka)
    for sign, lines, other in (('Kafka', kafka, ours_lines), ('ours ', ours, kafka_lines)):
        for line in lines:
            if line in other:
                continue
            matching = [pattern for pattern in meant if pattern.fullmatch(line)]
            used.update(matching)
            if not matching:
                failed += 1
                print(f'{sign}: {line}')
    for pattern in meant:
        if pattern not in used:
            failed += 1
            print(f'no longer differs: {pattern.pattern}')
    print(f'{len(kafka)} lines of Kafka, {len(ours)} of ours, {failed} differences that are not meant')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
