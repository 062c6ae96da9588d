#!/usr/bin/env python3
"""Builds and runs every test this machine can run, and counts: see docs/TESTING.md.

    tools/dev/test.py [--tier NAME]... [--shards N]... [--bench] [--no-build] [--preset NAME]

Tiers, in order: lint, unit (with golden and fuzz replays), then every tests/<kind>/<name>/run. A `run` program is given
DOHLE (the binary), DOHLE_SHARDS and DOHLE_BENCH (small or full); exit status 0 is a pass, 77 a skip, anything else a failure.
The last line may say how many cases that were: `N passed, N failed, N skipped`. A line `SKIPPED: why` says why.

Programs spend most of their time waiting, so several run side by side, the longest first; what measures time or memory comes last and alone.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
# On two cores of one's own; a machine that is shared with others gets more time by DOHLE_TEST_MINUTES.
MINUTES = int(os.environ.get('DOHLE_TEST_MINUTES', '30'))
TOTAL_S = MINUTES * 60
BUILD_S = 13 * 60
SLACK = MINUTES / 30
# Seconds for one run with one number of shards; the minutes bound them all together.
BUDGET_S = {kind: seconds * SLACK for kind, seconds in
            {'lint': 60, 'unit': 240, 'compat': 180, 'oracle': 180, 'bench': 90, 'node': 180, 'scenarios': 300, 'crash': 300}.items()}
DEFAULT_BUDGET_S = 120 * SLACK
AT_ONCE = 4
LONGEST = ['crash/kill', 'crash/disk', 'crash/power', 'node/metrics', 'crash/clock', 'compat/kcat', 'compat/takeover', 'compat/java', 'compat/python',
           'crash/rot', 'oracle/tools', 'oracle/groups']
ALONE = ['bench', 'scenarios/speed', 'node/overload', 'node/hostile']
# They draw the number of shards themselves, or one is enough to measure.
ONCE = ['scenarios']
# Nothing there depends on real time, so it leaves the machine to those where something does.
PATIENT = ['scenarios/seeds', 'scenarios/mutants']
# What the address and thread sanitizers run, and how many times longer it may take. What measures memory or speed would measure them.
SANITIZED = ['unit', 'scenarios/seeds', 'node/start', 'node/fetch', 'node/tools', 'node/hostile', 'compat/kcat', 'crash/kill', 'crash/disk']
SANITIZED_SLACK = 8
# The thread sanitizer has nothing to find in one thread, and is too slow for the limits of time in hostile.
NOT_FOR_THREADS = ['scenarios/seeds', 'node/hostile']
COUNTS = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', re.MULTILINE)
FAILURE = re.compile(r'FAIL|not ok|Failure$|Error: |ERROR: |Assertion')
SKIP_STATUS = 77


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped'


def execute(command, seconds, environment, log):
    """Runs a command in its own process group, output to `log`; its exit status, or None when the time is up."""
    with open(log, 'wb') as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def tail(log, lines=40):
    return '\n'.join('    ' + line for line in log.read_text(errors='replace').splitlines()[-lines:])


def what_failed(log):
    """The lines of a log that speak of a failure, and where it ends."""
    lines = log.read_text(errors='replace').splitlines() if log.exists() else []
    telling = [line for line in lines[:-8] if FAILURE.search(line)][:20]
    return '\n'.join('    ' + line[:300] for line in telling + lines[-8:])


def count_output(status, text):
    """What a `run` program did: its own count where it gives one, otherwise itself as one case."""
    found = COUNTS.findall(text)
    if found:
        tally = Tally(*map(int, found[-1]))
        if status not in (0, SKIP_STATUS) and tally.failed == 0:
            tally.failed = 1
        return tally
    if status == SKIP_STATUS:
        return Tally(skipped=1)
    return Tally(passed=1) if status == 0 else Tally(failed=1)


def count_ctest(reports, junit):
    """gtest binaries write their own reports, case by case; other ctest entries count as one case each."""
    tally = Tally()
    by_case = set()
    for report in sorted(reports.glob('*.xml')):
        by_case.add(report.stem)
        for case in xml.etree.ElementTree.parse(report).getroot().iter('testcase'):
            if case.find('failure') is not None:
                tally.failed += 1
            elif case.get('result') == 'skipped' or case.find('skipped') is not None or case.get('status') == 'notrun':
                tally.skipped += 1
            else:
                tally.passed += 1
    if not junit.exists():
        return tally
    for case in xml.etree.ElementTree.parse(junit).getroot().iter('testcase'):
        crashed = case.get('status') == 'fail'
        if f'{case.get("name")}_test' in by_case:
            # A binary that died after its report, or whose report holds the failure already.
            tally.failed += 1 if crashed and tally.failed == 0 else 0
        elif case.get('status') in ('notrun', 'disabled'):
            tally.skipped += 1
        else:
            tally.failed += crashed
            tally.passed += not crashed
    return tally


def name_of(program):
    return f'{program.parts[-3]}/{program.parts[-2]}'


def is_in(program, tiers):
    """Whether a program, or its whole kind, is named."""
    return program.parts[-3] in tiers or name_of(program) in tiers


def in_order(programs):
    """Those that run side by side, the longest first, and those that run alone."""
    place = {name: at for at, name in enumerate(LONGEST)}
    kinds = list(BUDGET_S)
    ordered = sorted(programs, key=lambda p: (place.get(name_of(p), len(place)), kinds.index(p.parts[-3]) if p.parts[-3] in kinds else len(kinds), p))
    return [p for p in ordered if not is_in(p, ALONE)], [p for p in ordered if is_in(p, ALONE)]


class Run:
    def __init__(self, options):
        self.options = options
        self.started = time.monotonic()
        self.total = Tally()
        # What failed, to be said once more at the end: of a long output often only the end is kept.
        self.failures = []
        self.printing = threading.Lock()
        self.build_folder = ROOT / 'build' / options.preset
        self.reports = self.build_folder / 'reports'
        sanitized = options.preset in ('asan', 'tsan')
        self.slack = SANITIZED_SLACK if sanitized else 1
        self.tiers = options.tier or (SANITIZED if sanitized else [])
        if options.preset == 'tsan' and not options.tier:
            self.tiers = [tier for tier in SANITIZED if tier not in NOT_FOR_THREADS]
        self.total_s = TOTAL_S * self.slack
        # A sanitizer needs the processor all the time, and its findings lie in one folder.
        self.at_once = 1 if sanitized else AT_ONCE
        self.findings = self.reports / 'findings'
        # A node may be killed or restarted by its test: what its sanitizer says goes to a file of its own, and fails the test.
        report_to = f'log_path={self.findings}/sanitizer'
        self.environment = dict(os.environ, **{f'{name}_OPTIONS': report_to for name in ('ASAN', 'UBSAN', 'TSAN') if sanitized})
        if sanitized:
            self.environment['DOHLE_SANITIZER'] = options.preset

    def sanitizer_findings(self, tally):
        for path in sorted(self.findings.glob('*')):
            print(tail(path))
            path.rename(self.reports / path.name)
            tally.failed += 1

    def budget_s(self, kind):
        return BUDGET_S.get(kind, DEFAULT_BUDGET_S) * self.slack

    def seconds_left(self):
        return self.total_s - (time.monotonic() - self.started)

    def report(self, title, tally, seconds, note='', log=None):
        self.total += tally
        line = f'{title:<34} {tally}  ({seconds:.0f} s){note}'
        print(line, flush=True)
        if tally.failed:
            self.failures.append(f'FAILED: {line}' + (f'\n{what_failed(log)}' if log else ''))

    def build(self):
        started = time.monotonic()
        log = self.reports / 'build.log'
        jobs = str(os.cpu_count() or 1)
        for command in (['cmake', '--preset', self.options.preset], ['cmake', '--build', str(self.build_folder), '-j', jobs]):
            status = execute(command, self.total_s, dict(os.environ), log)
            if status != 0:
                print(tail(log))
                self.report('build', Tally(failed=1), time.monotonic() - started, log=log)
                return False
        seconds = time.monotonic() - started
        note = '' if seconds < BUILD_S else f'  slower than {BUILD_S} s'
        print(f'{"build":<34} done  ({seconds:.0f} s){note}', flush=True)
        return True

    def lint(self):
        started = time.monotonic()
        log = self.reports / 'lint.log'
        status = execute([sys.executable, '-m', 'tools.tidy', '--self-test', '--objects', str(self.build_folder)], self.budget_s('lint'), dict(os.environ), log)
        tally = count_output(status, log.read_text(errors='replace'))
        if tally.failed:
            print(tail(log))
        self.report('lint', tally, time.monotonic() - started, log=log)

    def unit(self):
        """Once: what depends on shards draws their number itself, over shards in memory."""
        started = time.monotonic()
        reports = self.reports / 'unit'
        reports.mkdir(parents=True, exist_ok=True)
        for old in reports.glob('*.xml'):
            old.unlink()
        junit = self.reports / 'unit.xml'
        junit.unlink(missing_ok=True)
        log = self.reports / 'unit.log'
        environment = dict(self.environment, GTEST_OUTPUT=f'xml:{reports}/')
        command = ['ctest', '--test-dir', str(self.build_folder), '-j', str(os.cpu_count() or 1), '--output-on-failure', '--no-tests=error',
                   '--output-junit', str(junit), '-LE', 'lint']
        status = execute(command, min(self.budget_s('unit'), self.seconds_left()), environment, log)
        tally = count_ctest(reports, junit)
        note = ''
        if status is None:
            tally.failed += 1
            note = '  out of time'
        elif status != 0 and tally.failed == 0:
            tally.failed += 1
        self.sanitizer_findings(tally)
        if tally.failed:
            print(tail(log))
        self.report('unit', tally, time.monotonic() - started, note, log)

    def program(self, program, shards):
        kind, name = program.parts[-3], program.parts[-2]
        title = f'{kind}/{name}, {shards} shard{"s" * (shards > 1)}'
        started = time.monotonic()
        log = self.reports / f'{kind}-{name}-{shards}.log'
        budget, left = self.budget_s(kind), self.seconds_left()
        if self.options.bench:
            budget = left = 24 * 3600
        environment = dict(self.environment, DOHLE=str(self.build_folder / 'dohle'), DOHLE_SHARDS=str(shards),
                           DOHLE_BENCH='full' if self.options.bench else 'small')
        command = ['nice', str(program)] if is_in(program, PATIENT) else [str(program)]
        status = execute(command, min(budget, left), environment, log) if left > 0 else None
        text = log.read_text(errors='replace') if left > 0 else ''
        lines = [f'{line[:9]}{title}:{line[8:]}' for line in text.splitlines() if line.startswith('SKIPPED:')]
        if status is not None:
            tally, note = count_output(status, text), ''
        elif left < budget:
            tally, note = Tally(skipped=1), ''
            lines = [f'SKIPPED: {title}: the {self.total_s // 60:.0f} minutes are used up']
        else:
            tally, note = count_output(1, text), f'  out of its {budget:.0f} s'
        with self.printing:
            self.sanitizer_findings(tally)
            if tally.failed or self.options.bench:
                print(tail(log, 200 if self.options.bench else 40))
            for line in lines:
                print(line)
            self.report(title, tally, time.monotonic() - started, note, log)

    def programs(self, programs):
        """One number of shards after the other: what a program fetches for itself is fetched once."""
        def run(program):
            # The full benchmarks have two shards in a column of their own.
            counts = self.options.shards or ([1] if self.options.bench else [1, 4])
            for shards in counts[:1] if is_in(program, ONCE) else counts:
                self.program(program, shards)
        side_by_side, alone = in_order(programs)
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            list(pool.map(run, side_by_side))
        for program in alone:
            run(program)

    def wanted(self, tier):
        return not self.tiers or tier in self.tiers

    def everything(self):
        self.findings.mkdir(parents=True, exist_ok=True)
        if not self.options.no_build and not self.build():
            return
        programs = [program for program in ROOT.glob('tests/*/*/run') if not self.tiers or is_in(program, self.tiers)]
        if self.options.bench:
            self.programs([program for program in programs if program.parts[-3] == 'bench'])
            return
        if self.wanted('lint'):
            self.lint()
        if self.wanted('unit'):
            self.unit()
        self.programs(programs)


def main():
    parser = argparse.ArgumentParser(description='Builds and runs every test this machine can run.')
    parser.add_argument('--tier', action='append', help='only this tier: lint, unit, compat, compat/kcat ...')
    parser.add_argument('--shards', action='append', type=int, help='only with so many shards (default: 1 and 4)')
    parser.add_argument('--bench', action='store_true', help='the full benchmarks and nothing else')
    parser.add_argument('--no-build', action='store_true', help='test what is built')
    parser.add_argument('--preset', default='release', choices=['release', 'asan', 'tsan'], help='what is built and tested; asan and tsan run what makes sense there')
    run = Run(parser.parse_args())
    run.everything()
    minutes = (time.monotonic() - run.started) / 60
    print(*run.failures, sep='\n', end='\n' if run.failures else '')
    print(f'{minutes:.1f} minutes of {run.total_s / 60:.0f}')
    print(run.total)
    return 1 if run.total.failed else 0


if __name__ == '__main__':
    sys.exit(main())
