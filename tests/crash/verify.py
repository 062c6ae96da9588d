#!/usr/bin/env python3
"""Judges a history of tests/crash/workload.cc: verify.py HISTORY [--once] [--all-read] [--at-least ACKED]

C1  every acknowledged record is held, at the offset that was told
C3  a record is held once (with --once: its producer was idempotent)
C4  an offset has one value: what was read there is what is held there
C5  a consumer's offsets ascend by one within an assignment; a producer's records of a partition are held in the order they were sent
C13 with --all-read: the group read everything, though its coordinator died again and again
C9  the group's committed offset is not behind what a commit was acknowledged for
Exit status 1, and a line for each kind of violation, when one does not hold; 0 and the counts otherwise.
"""
import argparse
import collections
import sys


class History:
    def __init__(self, path):
        self.acked = {}  # (producer, sequence) -> (partition, offset)
        self.reads = []  # (consumer, assignment, partition, offset, value)
        self.commits = collections.defaultdict(int)
        self.held = collections.defaultdict(dict)  # partition -> offset -> value
        self.group = {}
        self.failed = collections.Counter()
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                kind, *fields = line.split()
                getattr(self, 'on_' + kind)(*fields)

    def on_acked(self, producer, sequence, partition, offset):
        self.acked[producer, int(sequence)] = (int(partition), int(offset))

    def on_failed(self, _producer, _sequence, error):
        self.failed[error] += 1

    def on_read(self, consumer, assignment, partition, offset, value):
        self.reads.append((consumer, assignment, int(partition), int(offset), value))

    def on_committed(self, _consumer, partition, offset):
        self.commits[int(partition)] = max(self.commits[int(partition)], int(offset))

    def on_holds(self, partition, offset, value):
        self.held[int(partition)][int(offset)] = value

    def on_group(self, partition, offset):
        self.group[int(partition)] = int(offset)


def acknowledged_is_held(history):
    for (producer, sequence), (partition, offset) in history.acked.items():
        value = f'{producer}:{sequence}'
        # Without idempotence a retry's answer may carry no offset of its own.
        if offset >= 0 and history.held[partition].get(offset) != value:
            yield f'{value} was acknowledged at {partition}@{offset}, which holds {history.held[partition].get(offset)}'


def held_once(history):
    seen = {}
    for partition, records in history.held.items():
        for offset, value in records.items():
            if value in seen:
                yield f'{value} is held at {seen[value]} and {partition}@{offset}'
            seen[value] = f'{partition}@{offset}'


def one_value(history):
    for _, _, partition, offset, value in history.reads:
        if history.held[partition].get(offset) != value:
            yield f'{partition}@{offset} was read as {value} and holds {history.held[partition].get(offset)}'


def all_is_read(history):
    read = {(partition, offset) for _, _, partition, offset, _ in history.reads}
    for partition, records in history.held.items():
        for offset in records:
            if (partition, offset) not in read:
                yield f'{partition}@{offset} was never read'


def reads_ascend(history):
    last = {}
    for consumer, assignment, partition, offset, _ in history.reads:
        key = (consumer, assignment, partition)
        if key in last and offset != last[key] + 1:
            yield f'consumer {consumer} read {partition}@{offset} after {last[key]}'
        last[key] = offset


def held_in_order(history):
    for partition, records in history.held.items():
        last = {}
        for offset in sorted(records):
            producer, sequence = records[offset].split(':')
            if int(sequence) < last.get(producer, -1):
                yield f'{partition}@{offset} holds {records[offset]} after {producer}:{last[producer]}'
            last[producer] = int(sequence)


def commits_stay(history):
    for partition, offset in history.commits.items():
        if history.group.get(partition, -1) < offset:
            yield f'{offset} was committed for {partition}, and the group is at {history.group.get(partition)}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('history')
    parser.add_argument('--once', action='store_true', help='the producers were idempotent')
    parser.add_argument('--all-read', action='store_true', help='the consumers could read to the end')
    parser.add_argument('--at-least', type=int, default=1, help='so many records were acknowledged, or it was no test')
    options = parser.parse_args()
    history = History(options.history)
    checks = {'C1': [acknowledged_is_held], 'C4': [one_value], 'C5': [reads_ascend], 'C9': [commits_stay]}
    if options.all_read:
        checks['C13'] = [all_is_read]
    if options.once:
        checks['C3'] = [held_once]
        checks['C5'].append(held_in_order)
    bad = 0
    for name, functions in sorted(checks.items()):
        found = [text for function in functions for text in function(history)]
        bad += len(found)
        if found:
            print(f'{name}: {len(found)} violations, the first: {found[0]}')
    held = sum(len(records) for records in history.held.values())
    print(f'{len(history.acked)} acknowledged, {sum(history.failed.values())} failed {dict(history.failed)}, {held} held, {len(history.reads)} read, '
          f'{sum(history.commits.values())} committed')
    if len(history.acked) < options.at_least:
        print(f'fewer than {options.at_least} acknowledged: nothing was tested')
        bad += 1
    return 1 if bad else 0


sys.exit(main())
