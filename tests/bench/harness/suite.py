"""What the suites of tests/bench share: which brokers there are, how often a load runs on each, and where the tables go.

DOHLE is the binary, beside which tests/dohle_load and tests/dohle_floor lie; DOHLE_SHARDS the number of shards; DOHLE_BENCH small or full.
Small: Dohle alone and the floor, one short run each, no mark is judged. Full: Apache Kafka 4.4 too, from the jars that tests/java/libs.sh finds, and
Dohle with two shards beside one; five runs each in turn, one before them that does not count. The tables also go to build/bench/SUITE.md.
"""
import contextlib
import os
import pathlib
import platform
import subprocess
import sys

from . import broker as brokers
from .table import Mark, Table

FULL = os.environ.get('DOHLE_BENCH', 'small') == 'full'
SHARDS = int(os.environ.get('DOHLE_SHARDS', '1'))
PAIRS = int(os.environ.get('DOHLE_BENCH_PAIRS', '5')) if FULL else 1
SECONDS = 2 if FULL else 0.3
WARM_UP_S = 8
TWO_SHARDS = 'Dohle, 2 shards'
REPORTS = brokers.ROOT / 'build' / 'bench'
PERCENTILES = {'p50_us': 'p50', 'p99_us': 'p99', 'p999_us': 'p99.9'}


def kafka_libs():
    """Where Kafka's jars are, or None and why not."""
    if not FULL:
        return None, 'small'
    found = subprocess.run([str(brokers.ROOT / 'tests' / 'java' / 'libs.sh')], stdout=subprocess.PIPE, text=True, check=False)
    text = found.stdout.strip()
    return (text, '') if found.returncode == 0 else (None, text)


def first_line(command):
    with contextlib.suppress(OSError):
        text = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=brokers.ROOT).stdout
        return text.splitlines()[0] if text else 'unknown'
    return 'unknown'


def processor():
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.machine()


def returned_pages_kib():
    """How much memory this guest has given back to its host: what is touched anew costs system time that is not the broker's."""
    with contextlib.suppress(OSError, ValueError):
        return int(pathlib.Path('/sys/module/page_reporting/parameters/reported_kib').read_text())
    return None


def stolen_s():
    """Processor time that the host gave to others."""
    return int(pathlib.Path('/proc/stat').read_text().split('\n', 1)[0].split()[8]) / brokers.TICKS


class Suite:
    def __init__(self, name, about):
        self.name = name
        self.lines = []
        self.tables = []
        self.nodes = []
        self.libs, why = kafka_libs()
        if FULL and self.libs is None:
            self.say(f'Apache Kafka is not measured: {why}')
        self.say(f'# bench/{name}\n\n{about}\n')
        self.say(f'Commit {first_line(["git", "describe", "--always", "--dirty"])}; Linux {platform.release()}, {os.cpu_count()} x {processor()}; '
                 f'{first_line(["java", "-version"]) if self.libs else "no Java"}; load average at the start {os.getloadavg()[0]:.1f}. '
                 f'Both brokers: `{brokers.PAGE_CACHE}`, replication factor 1, otherwise defaults; Kafka 4.4.0: `{" ".join(brokers.JAVA[1:])}`. '
                 f'{PAIRS} pair{"s" * (PAIRS != 1)}.')
        self.returned = returned_pages_kib()
        self.stolen = stolen_s()

    def say(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def skip_without_programs(self):
        for program in (brokers.LOAD, brokers.FLOOR):
            if not os.access(program, os.X_OK):
                print(f'SKIPPED: there is no {program}')
                sys.exit(77)

    def start(self, floor=False, two_shards=False, settings=()):
        """Fresh brokers, started: Dohle; with two shards beside it when it pays to see; Kafka where it is; the floor."""
        made = [brokers.dohle(SHARDS, settings)]
        self.nodes += made
        if two_shards and FULL:
            made.append(brokers.dohle(2, settings, name=TWO_SHARDS))
            self.nodes.append(made[-1])
        if self.libs:
            made.append(brokers.kafka(self.libs, settings))
            self.nodes.append(made[-1])
        for node in made:
            node.start_until_accepted('first')
            if node.name == 'Kafka':
                self.warm_up(node)
        if floor:
            made.append(brokers.Floor())
            self.nodes.append(made[-1])
        return made

    @staticmethod
    def warm_up(node):
        """A cold JVM is no broker to compare with."""
        node.create('warm-up', 32)
        node.load('produce', topic='warm-up', connections=32, seconds=WARM_UP_S)
        node.load('fetch', topic='warm-up', connections=4, partitions=32, bytes=65536, seconds=WARM_UP_S / 2)

    def table(self, title, columns):
        table = Table(title, columns, FULL, self.say)
        self.tables.append(table)
        return table

    def runs(self, nodes, run, pairs=PAIRS, touch_mib=0):
        """Results by broker, in pairs that run forwards and backwards in turn, after a run of each that does not count."""
        results = {node.name: [] for node in nodes}
        if FULL:
            for node in nodes:
                run(node)
        for pair in range(pairs):
            for node in nodes if pair % 2 == 0 else reversed(nodes):
                if touch_mib and FULL:
                    brokers.run_load('touch', megabytes=touch_mib)
                results[node.name].append(run(node))
        return results

    def measure(self, table, title, nodes, run, per='requests', marks=None, two_shards_beat_one=False, **how):
        """A load's rows. `marks`: by row, of 'cpu', 'p50', 'p99', 'p99.9' and 'p99 to p50'. `two_shards_beat_one`: in a closed loop over many connections."""
        marks = marks or {}
        results = self.runs(nodes, run, **how)
        unit, scale, digits = {'requests': ('us CPU a request', 1e6, 1), 'bytes': ('CPU-s/GiB', 2**30, 2)}[per]
        figures = {name: [r['cpu_s'] / max(r[per], 1) * scale for r in of] for name, of in results.items()}
        notes = {name: f'({sum(r["system_s"] for r in of) / max(sum(r["cpu_s"] for r in of), 1e-9):.0%} sys)' for name, of in results.items()}
        table.row(f'{title}: {unit}', figures, digits, marks.get('cpu', ()), notes)
        table.row(f'{title}: the load itself, {unit}', {n: [r['load_cpu_s'] / max(r[per], 1) * scale for r in of] for n, of in results.items()}, digits)
        for key, name in PERCENTILES.items():
            table.row(f'{title}: {name}, us', {n: [r[key] for r in of] for n, of in results.items()}, 0, marks.get(name, ()))
        if 'p99 to p50' in marks:
            table.row(f"{title}: p99 beside Kafka's p50, us", {n: [r['p99_us' if n == 'Dohle' else 'p50_us'] for r in of]
                                                              for n, of in results.items() if n in ('Dohle', 'Kafka')}, 0, marks['p99 to p50'])
        per_second = {n: [r[per] / r['seconds'] / (2**20 if per == 'bytes' else 1) for r in of] for n, of in results.items()}
        table.row(f'{title}: {"MiB" if per == "bytes" else "requests"} a second', per_second, 0)
        table.row(f'{title}: resident memory, MiB', {n: [r['memory_mib'] for r in of] for n, of in results.items()}, 0)
        if two_shards_beat_one and TWO_SHARDS in results:
            table.row(f'{title}: a second with one shard, over that with two', {'Dohle': [a / b for a, b in zip(per_second['Dohle'], per_second[TWO_SHARDS])]},
                      2, [Mark(1, '')])
        return results

    def finish(self):
        for node in self.nodes:
            node.remove()
        if self.returned is not None:
            self.say(f'\nMemory given back to the host meanwhile: {(returned_pages_kib() - self.returned) / 2**20:.1f} GiB.')
        self.say(f'Load average at the end: {os.getloadavg()[0]:.1f}; {stolen_s() - self.stolen:.1f} s of processor time were stolen.')
        missed = [text for table in self.tables for text in table.missed]
        for text in missed:
            self.say(f'MISSED: {text}')
        if FULL:
            REPORTS.mkdir(parents=True, exist_ok=True)
            (REPORTS / f'{self.name}.md').write_text('\n'.join(self.lines) + '\n')
        return 1 if missed else 0


def run_suite(name, about, body):
    """`body(suite)` measures; the exit status is 1 when it missed a mark."""
    suite = Suite(name, about)
    suite.skip_without_programs()
    try:
        body(suite)
    except BaseException:
        for node in suite.nodes:
            node.remove()
        raise
    sys.exit(suite.finish())


__all__ = ['FULL', 'Mark', 'PAIRS', 'SECONDS', 'SHARDS', 'run_suite']
