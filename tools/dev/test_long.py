#!/usr/bin/env python3
"""Runs one of the long tiers and notes it in docs/TESTING.md: `make test-long TIER=x`.

    sanitizers   unit tests, seeds and real nodes under ASan with UBSan, then TSan
    mutants      all planted bugs
    seeds        DOHLE_SEEDS simulated lives (default 100000)
    fuzz         every fuzz target; DOHLE_FUZZ_SECONDS of CPU in all (default: 15 minutes each)
    crash        tests/crash for DOHLE_CRASH_SECONDS (default 3600) each
    soak         tests/soak/run for DOHLE_SOAK_SECONDS (default 3600)

Runs on what is built, but for sanitizers, mutants, seeds and fuzz, which build what they need. A row of the table: day, commit, tier, seconds, what came
out. The exit status is that of the tier.
"""
import argparse
import collections
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTES = ROOT / 'docs' / 'TESTING.md'
BINARY = ROOT / 'build' / 'release' / 'dohle'
COUNTS = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', re.MULTILINE)
PLANTED = re.compile(r'^\d+ planted, \d+ caught$', re.MULTILINE)
FUZZ_TARGET_S = 15 * 60


def commands(tier):
    if tier == 'sanitizers':
        return [['make', 'sanitize']]
    if tier == 'mutants':
        return [['make', 'mutants']]
    if tier == 'seeds':
        return [['make', 'sim', 'SEEDS=' + os.environ.get('DOHLE_SEEDS', '100000')]]
    if tier == 'fuzz':
        targets = len([*ROOT.glob('src/**/*_fuzz.cc'), *ROOT.glob('apps/**/*_fuzz.cc')])
        return [['tools/dev/fuzz.py', '--seconds', os.environ.get('DOHLE_FUZZ_SECONDS', str(FUZZ_TARGET_S * targets))]]
    if tier == 'crash':
        return [[str(program)] for program in sorted(ROOT.glob('tests/crash/*/run'))]
    return [['tests/soak/run']]


def run(command, environment):
    """Shows the output as it comes and keeps it."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    lines = []
    for line in process.stdout:
        print(line, end='', flush=True)
        lines.append(line)
    return process.wait(), ''.join(lines)


def outcome(results):
    counts = collections.Counter()
    for status, text in results:
        found = COUNTS.findall(text)
        if found:
            counts.update(dict(zip(('passed', 'failed', 'skipped'), map(int, found[-1]))))
        else:
            counts['failed' if status else 'passed'] += 1
    findings = [line for _, text in results for line in PLANTED.findall(text)]
    findings += [line.strip() for _, text in results for line in text.splitlines() if line.startswith('FAILED') or line.startswith('    FOUND')]
    summary = ', '.join(f'{counts[word]} {word}' for word in ('passed', 'failed', 'skipped'))
    return summary + ''.join('; ' + finding for finding in findings)


def note(tier, seconds, text):
    commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    day = datetime.date.today().isoformat()
    content = NOTES.read_text().rstrip('\n')
    NOTES.write_text(f'{content}\n| {day} | {commit} | {tier} | {seconds:.0f} | {text.replace("|", "/")} |\n')


def main():
    parser = argparse.ArgumentParser(description='Runs one of the long tiers.')
    parser.add_argument('tier', choices=['sanitizers', 'mutants', 'seeds', 'fuzz', 'crash', 'soak'])
    tier = parser.parse_args().tier
    environment = dict({'DOHLE_CRASH_SECONDS': '3600', 'DOHLE_SHARDS': '2', 'DOHLE': str(BINARY)}, **os.environ)
    started = time.monotonic()
    results = [run(command, environment) for command in commands(tier)]
    note(tier, time.monotonic() - started, outcome(results))
    # 77: skipped.
    return 1 if any(status not in (0, 77) for status, _ in results) else 0


if __name__ == '__main__':
    sys.exit(main())
