#!/usr/bin/env python3
"""Builds the asan preset and searches: see docs/TESTING.md.

    tools/dev/fuzz.py [--seconds N] [--target NAME]... [--no-build]

All targets share N seconds of CPU time, a processor each at a time: what else the machine does changes nothing. What they learn
stays in build/asan/corpus; the committed corpora and the golden messages are where they begin. A finding is a file in
build/asan/findings and a failure; the last line counts the targets.
"""
import argparse
import base64
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / 'build' / 'asan'
MESSAGES = ROOT / 'tests' / 'golden' / 'messages'
# A frame may be as large as this; longer inputs find nothing that shorter ones do not.
MOST_BYTES = 65536
MEMORY_MB = 2048
# One input: more than this is a finding too.
INPUT_S = 20


def targets():
    """Fuzz target to its source's folder below the module, the binary and the committed corpus."""
    found = {}
    for source in sorted([*ROOT.glob('src/**/*_fuzz.cc'), *ROOT.glob('apps/**/*_fuzz.cc')]):
        parts = source.relative_to(ROOT).parts
        folder = pathlib.Path(*parts[:2]) if parts[0] == 'src' else pathlib.Path('apps')
        found[source.stem] = (BUILD / folder / source.stem, ROOT / folder / 'corpus' / source.stem)
    return found


def golden_messages(kind):
    for path in sorted(MESSAGES.glob(f'*{kind}.txt')):
        for line in path.read_text().splitlines():
            version, case, content, _ = line.split(' ', 3)
            yield path.stem, int(version), case, base64.b64decode(content)


def request_headers():
    """(API name, version) to the header that Kafka writes before such a request."""
    headers = {}
    for line in (ROOT / 'tests' / 'golden' / 'apis.txt').read_text().splitlines():
        words = line.split()
        if words[0] == 'api':
            api = words[2]
        elif words[0] == 'version':
            headers[api, int(words[1])] = base64.b64decode(words[4])
    return headers


def request_frames():
    headers = request_headers()
    for name, version, case, body in golden_messages('Request'):
        header = headers.get((name.removesuffix('Request'), version))
        if header is not None:
            yield f'{name}-{version}-{case}', header + body


def message_inputs():
    names = sorted(path.stem for path in MESSAGES.glob('*.txt'))
    lowest = {}
    for name, version, case, body in golden_messages(''):
        lowest.setdefault(name, version)
        yield f'{name}-{version}-{case}', names.index(name).to_bytes(2, 'little') + bytes([version - lowest[name]]) + body


def seed(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {'request_fuzz': request_frames, 'message_fuzz': message_inputs}.get(name)
    for case, content in inputs() if inputs else ():
        (folder / case).write_bytes(content)


def cpu_seconds(pid):
    """Of a child that was not waited for yet."""
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def run_for(command, seconds, out):
    """Interrupts the command after so much CPU time; its exit status, 0 when it came that far, and the CPU time."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    spent = 0.0
    while process.poll() is None and spent < seconds:
        time.sleep(0.2)
        spent = cpu_seconds(process.pid)
    if process.poll() is not None:
        return process.returncode, spent
    process.send_signal(signal.SIGINT)
    process.wait()
    return 0, spent


def was_only_kept_waiting(binary, path):
    """libFuzzer counts the seconds of the clock, and the machine may have been at something else."""
    if not path.name.startswith(('timeout-', 'slow-unit-')):
        return False
    status, spent = run_for([str(binary), f'-rss_limit_mb={MEMORY_MB}', '-timeout=3600', str(path)], INPUT_S, subprocess.DEVNULL)
    return status == 0 and spent < INPUT_S


def search(name, binary, corpus, seconds):
    """One target; what it found, as file names."""
    learnt = BUILD / 'corpus' / name
    findings = BUILD / 'findings' / name
    seed(name, learnt)
    findings.mkdir(parents=True, exist_ok=True)
    log = BUILD / 'findings' / f'{name}.log'
    command = ['nice', '-n', '19', str(binary), f'-timeout={INPUT_S}', f'-rss_limit_mb={MEMORY_MB}',
               f'-max_len={MOST_BYTES}', '-close_fd_mask=1', '-print_final_stats=1', f'-artifact_prefix={findings}/', str(learnt)]
    if corpus.is_dir():
        command.append(str(corpus))
    before = set(findings.iterdir())
    runs, new, left = 0, [], float(seconds)
    while left > 0 and not new:
        with open(log, 'wb') as out:
            status, spent = run_for(command, left, out)
        left -= max(spent, 1.0)
        runs += sum(map(int, re.findall(r'number_of_executed_units: (\d+)', log.read_text(errors='replace'))))
        found = sorted(set(findings.iterdir()) - before)
        waited = [path for path in found if was_only_kept_waiting(binary, path)]
        for path in waited:
            path.unlink()
        new = [str(path.relative_to(ROOT)) for path in found if path not in waited]
        if status != 0 and not found:
            new = [str(log.relative_to(ROOT))]
    print(f'{name:<28} {seconds} s, {runs} runs' + ''.join(f'\n    FOUND {path}' for path in new), flush=True)
    return new


def main():
    parser = argparse.ArgumentParser(description='Builds the asan preset and searches.')
    parser.add_argument('--seconds', type=int, default=60, help='for all targets together (default 60)')
    parser.add_argument('--target', action='append', help='only this one')
    parser.add_argument('--no-build', action='store_true')
    options = parser.parse_args()
    wanted = {name: place for name, place in targets().items() if not options.target or name in options.target}
    if not wanted:
        parser.error('there is no such target: ' + ' '.join(options.target))
    if not options.no_build:
        subprocess.run(['cmake', '--preset', 'asan'], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        names = sorted(wanted) if options.target else ['fuzzers']
        subprocess.run(['cmake', '--build', str(BUILD), '-j', str(os.cpu_count() or 1), '--target', *names], cwd=ROOT, check=True)
    each = max(1, options.seconds // len(wanted))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda item: search(item[0], *item[1], each), wanted.items()))
    failed = sum(1 for new in found if new)
    print(f'{len(wanted) - failed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
