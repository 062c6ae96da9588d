"""Runs seeds of the scenarios and judges their histories: make sim SEEDS=n [SCENARIO=x] [SEED=s].

A red seed is shrunk (clients and faults are left out while it stays red) and printed with what replays it.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import gc
import os
import pathlib
import re
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / 'tests/scenarios'
sys.path.insert(0, str(ROOT))

from tests.scenarios.checkers import CHECKERS  # noqa: E402
from tests.scenarios.checkers.history import History  # noqa: E402

LEAST_ACKNOWLEDGED = 200
ERROR_LINE = re.compile(r'(\berror\b.*|invariant broken.*|runtime error:.*|ERROR: AddressSanitizer.*)')
TIME_LIMIT_S = 120


@dataclasses.dataclass
class Scenario:
    path: pathlib.Path
    checks: list
    allowed: list
    labels: list
    has_faults: bool

    @property
    def name(self):
        return self.path.stem


def load(path):
    checks, allowed, counts = [], [], collections.Counter()
    for line in path.read_text().splitlines():
        words = line.split('#')[0].split()
        if words[:1] == ['check']:
            checks += words[1:]
        elif words[:1] == ['allow']:
            allowed.append(line.split(None, 1)[1])
        elif words[:1] in (['client'], ['fault']):
            counts[words[0]] += 1
    labels = [f'{kind}:{number}' for kind in ('fault', 'client') for number in range(counts[kind])]
    return Scenario(path, checks, allowed, labels, counts['fault'] > 0)


@dataclasses.dataclass
class Outcome:
    scenario: Scenario
    seed: int
    violations: list
    acknowledged: int = 0
    faults: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: float = 0
    marks: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    text: str = ''


def execute(program, scenario, seed, without=(), mutant=None):
    command = [str(program), str(scenario.path), '--seed', str(seed)]
    for label in without:
        command += ['--without', label]
    environment = dict(os.environ, DOHLE_MUTANT=mutant) if mutant else None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, errors='replace', env=environment)
    except subprocess.TimeoutExpired:
        return '', 'invariant broken: it ran for %d s of this machine' % TIME_LIMIT_S, -1
    return done.stdout, done.stderr, done.returncode


def judge(program, scenario, seed, without=(), mutant=None):
    text, complaints, status = execute(program, scenario, seed, without, mutant)
    lines = text.splitlines()
    extra = [{'e': 'allow', 'pattern': pattern} for pattern in scenario.allowed]
    if status not in (0, 1):
        extra.append({'e': 'crashed', 'why': f'exit code {status}'})
    for line in complaints.splitlines():
        if match := ERROR_LINE.search(line):
            extra.append({'e': 'log', 'line': match.group(0)})
    history = History(lines)
    for event in extra:
        event.update(t=0, w='runner', n=len(history.events))
        history.events.append(event)
        history.by_kind[event['e']].append(event)
    outcome = Outcome(scenario, seed, [], text=text)
    for name in scenario.checks:
        outcome.violations += [f'{name}: {sentence}' for sentence in CHECKERS[name].check(history)]
    outcome.acknowledged = sum(1 for event in history.of('ack') if event['acks'] != 0) + len(history.of('committed')) + len(history.of('trimmed'))
    outcome.acknowledged += sum(1 for event in history.of('ret') if event['out'] != 'unknown')
    outcome.faults = collections.Counter(event['k'] for event in history.of('fault'))
    outcome.seconds = max((event['t'] for event in history.events), default=0) / 1e6
    for event in history.of('over'):
        outcome.marks.update(event['marks'])
    if not without:
        if outcome.acknowledged < LEAST_ACKNOWLEDGED:
            outcome.violations.append(f'weak: {outcome.acknowledged} acknowledged operations')
        if scenario.has_faults and not outcome.faults:
            outcome.violations.append('weak: no fault struck')
    if not outcome.violations:
        outcome.text = ''
    return outcome


def same_twice(program, scenario, seed):
    return execute(program, scenario, seed)[0] == execute(program, scenario, seed)[0]


def shrink(program, outcome):
    """Leaves out clients and faults, one after the other, while some checker still says what it said."""
    wanted = {violation.split(':')[0] for violation in outcome.violations}
    without, best = [], outcome
    for label in outcome.scenario.labels:
        smaller = judge(program, outcome.scenario, outcome.seed, without + [label])
        if wanted & {violation.split(':')[0] for violation in smaller.violations}:
            without, best = without + [label], smaller
    return without, best


def commit():
    done = subprocess.run(['git', '-C', str(ROOT), 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, check=False)
    return done.stdout.strip() or 'no commit'


def report_red(program, outcome, reports):
    print(f'RED: scenario {outcome.scenario.name}, seed {outcome.seed}, commit {commit()}')
    for violation in outcome.violations[:5]:
        print(f'  {violation}')
    without, smallest = shrink(program, outcome)
    reports.mkdir(parents=True, exist_ok=True)
    kept = reports / f'{outcome.scenario.name}-{outcome.seed}.jsonl'
    kept.write_text(smallest.text)
    flags = ''.join(f' --without {label}' for label in without)
    print(f'  replay: {program} {outcome.scenario.path.relative_to(ROOT)} --seed {outcome.seed}{flags}')
    print(f'  history, {len(smallest.text.splitlines())} events: {kept}')


def regressions():
    """Seeds that were red once: scenario and seed a line."""
    for line in (HERE / 'regressions.list').read_text().splitlines():
        words = line.split('#')[0].split()
        if words:
            yield words[0], int(words[1])


def report(outcomes, cpu_s):
    by_name = collections.defaultdict(list)
    for outcome in outcomes:
        by_name[outcome.scenario.name].append(outcome)
    marks = collections.Counter()
    for name, group in sorted(by_name.items()):
        faults = collections.Counter()
        for outcome in group:
            faults.update(outcome.faults)
        listed = ', '.join(f'{kind} {count}' for kind, count in sorted(faults.items())) or 'none'
        acknowledged = sum(outcome.acknowledged for outcome in group)
        print(f'{name:14} {len(group):5} seeds, {acknowledged:8} operations acknowledged, faults: {listed}')
    for outcome in outcomes:
        for mark, count in outcome.marks.items():
            marks[mark] += count
    missed = sorted(mark for mark, count in marks.items() if count == 0)
    print(f'{len(marks)} marks, {len(missed)} never reached' + (': ' + ', '.join(missed) if missed else ''))
    simulated = sum(outcome.seconds for outcome in outcomes)
    print(f'{len(outcomes)} seeds, {simulated:.0f} simulated seconds, {cpu_s:.0f} s of CPU, checkers included')


def jobs_of(options, scenarios):
    if options.seed is not None:
        return [(scenario, options.seed) for scenario in scenarios]
    by_name = {scenario.name: scenario for scenario in scenarios}
    kept = [(by_name[name], seed) for name, seed in regressions() if name in by_name]
    fresh = [(scenarios[i % len(scenarios)], options.first + i // len(scenarios)) for i in range(options.seeds)]
    return kept + fresh


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--program', default=str(ROOT / 'build/release/dohle_sim'))
    parser.add_argument('--seeds', type=int, default=400, help='over all scenarios together')
    parser.add_argument('--first', type=int, default=1)
    parser.add_argument('--scenario', action='append')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--reports', default=str(ROOT / 'build/release/reports/sim'))
    options = parser.parse_args()
    scenarios = [load(path) for path in sorted(HERE.glob('*.txt'))]
    if options.scenario:
        scenarios = [scenario for scenario in scenarios if scenario.name in options.scenario]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    failed = [scenario.name for scenario in scenarios if not same_twice(options.program, scenario, options.seed or options.first)]
    for name in failed:
        print(f'RED: scenario {name}: two processes, one seed, two histories')
    gc.disable()  # a history is a hundred thousand objects without a cycle
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(judge, *zip(*[(options.program, *job) for job in jobs_of(options, scenarios)]), chunksize=4))
    red = [outcome for outcome in outcomes if outcome.violations]
    for outcome in red[:10]:
        report_red(options.program, outcome, pathlib.Path(options.reports))
    if len(red) > 10:
        print('and ' + ', '.join(f'{outcome.scenario.name}:{outcome.seed}' for outcome in red[10:]))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report(outcomes, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f'{len(outcomes) - len(red)} passed, {len(red) + len(failed)} failed, 0 skipped')
    return 1 if red or failed else 0


if __name__ == '__main__':
    sys.exit(main())
