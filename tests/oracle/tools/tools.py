#!/usr/bin/env python3
"""Command lines given to Kafka's own tools, what came of them, and whether the same comes of ours.

    tools.py record COMMANDS GOLDEN [NAME=VALUE]... -- JAVA...     JAVA... runs tests/java/RunTools.java, here
    tools.py compare COMMANDS GOLDEN [NAME=VALUE]... -- DOHLE      a line `ok ...` or `FAILED ...` for each command line

Before each command line FRESH=DIRECTORY copies that directory over the current one: Kafka's dump-log changes what it shows.

COMMANDS has a command line a line, quoted as in a shell. {NAME} in it stands for VALUE, and VALUE in an outcome for {NAME}. A line
`< text` behind it is a line of its standard input. A line `? why` before it: this outcome is meant to differ, and has to. A line
`~ why`: its lines may come in any order.
GOLDEN has the same command lines, each with its exit status and what it wrote to standard output (>) and standard error (!).
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

# What differs from run to run, and nothing else.
def in_order(match):
    """Kafka prints sets as they come out of a hash table."""
    separator = ', ' if ', ' in match.group(2) else ','
    return match.group(1) + separator.join(sorted(match.group(2).split(separator)))


CHANGING = [(re.compile(pattern, re.MULTILINE), replacement) for pattern, replacement in [
    (r'()(\[[\w-]+\](?:, \[[\w-]+\])+)', in_order),
    (r'((?:Valid \w+ are|Detected group ids|Configs): )(.*)', in_order),
    (r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[:,]\d{3}', '{time}'),
    (r'cluster.id=[\w-]{22}', 'cluster.id={id}'),
    (r'directory.id=[\w-]{22}', 'directory.id={id}'),
    (r'(\d+ records sent), .*', r'\1, {numbers}'),
    (r'^({time}, {time}, [\d.]+), [\d.]+, (\d+), .*', r'\1, {number}, \2, {numbers}'),
    (r'TopicId: [\w-]{22}', 'TopicId: {id}'),
    (r'(console-consumer|consumer-\w+-\d+)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', r'\1-{uuid}'),
    (r'CreateTime:\d{13}', 'CreateTime:{ms}'),
    # Both name the error; the sentence that goes with it is each one's own.
    (r'(org\.apache\.kafka\.common\.errors\.\w+Exception): .*', r'\1: {sentence}'),
]]
# Of standard error: what a JVM adds, and the table of options, whose help is in our own words.
JVM = re.compile(r'SLF4J: |\tat |\t\.\.\. |Caused by: |\s*$')
# What Kafka's tools log goes to the same place, if their logging is set up; it is not while recording. Nor is advertising compared.
LOGGED = re.compile(r'(ERROR|WARN|INFO) |The consumer rebalance protocol \(KIP-848\)')
TRACE = re.compile(r'(Exception in thread "main" )?[a-z]+(\.\w+)+(Exception|Error)(: .*)?$')
EXCEPTION = '! (an exception)'


class Case:
    def __init__(self, line, why, unordered):
        self.line, self.why, self.unordered, self.input = line, why, unordered, ''


def read_commands(path):
    cases, why, unordered = [], '', False
    for line in open(path, encoding='utf-8'):
        line = line.rstrip('\n')
        if line.startswith('? '):
            why = line[2:]
        elif line.startswith('~ '):
            unordered = True
        elif line.startswith('< '):
            cases[-1].input += line[2:] + '\n'
        elif line and not line.startswith('#'):
            cases.append(Case(line, why, unordered))
            why, unordered = '', False
    return cases


def fill(text, names):
    for name, value in names.items():
        text = text.replace('{' + name + '}', value)
    return text


def steady(text, names):
    text = ''.join(c if c == '\n' or c == '\t' or c.isprintable() else f'\\u{ord(c):04x}' for c in text)
    for name, value in names.items():
        text = text.replace(value, '{' + name + '}')
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return text


def lines_of(text):
    lines = text.split('\n')
    return lines[:-1] if lines[-1] == '' else lines


def told(text):
    """The lines of standard error that are to be compared."""
    out, in_usage = [], False
    for line in lines_of(text):
        if line.startswith('Option ') and 'Description' in line:
            break
        in_usage = (in_usage or line.startswith('usage: ')) and ': error: ' not in line
        if in_usage:
            continue
        if ': error: ' in line:  # argparse fills lines up to 75 columns
            rest = lines_of(text)[lines_of(text).index(line):]
            return out + [' '.join(' '.join(rest).replace('-- ', ' --').split()).replace(' --', ' --')]
        if TRACE.match(line):
            line = EXCEPTION[2:]
        if not JVM.match(line) and not LOGGED.match(line) and (line != EXCEPTION[2:] or line not in out):
            out.append(line)
    return out


def outcome(answer, names):
    lines = [f'= {answer["exit"]}']
    lines += ['> ' + line for line in lines_of(steady(answer['out'], names))]
    lines += ['! ' + line for line in told(steady(answer['err'], names))]
    return [line.rstrip() for line in lines]


def record(cases, golden, names, java):
    fresh = names.pop('FRESH', None)
    runner = subprocess.Popen(java, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding='utf-8')
    with open(golden + '.new', 'w', encoding='utf-8') as out:
        for case in cases:
            if fresh:
                shutil.copytree(fresh, os.path.basename(fresh), dirs_exist_ok=True)
            request = {'command': shlex.split(fill(case.line, names)), 'input': case.input}
            runner.stdin.write(json.dumps(request) + '\n')
            runner.stdin.flush()
            out.write('\n'.join(['$ ' + case.line] + outcome(json.loads(runner.stdout.readline()), names)) + '\n\n')
    runner.stdin.close()
    runner.wait()
    os.replace(golden + '.new', golden)


def read_golden(path):
    out = {}
    for block in open(path, encoding='utf-8').read().split('\n\n'):
        lines = block.split('\n')
        if lines[0].startswith('$ '):
            out.setdefault(lines[0][2:], []).append([line.rstrip() for line in lines[1:]])
    return out


def agree(golden, ours, unordered):
    """Where Kafka's tool fails without a word of its own, ours has to say something, whatever it is."""
    if unordered:
        golden, ours = sorted(golden), sorted(ours)
    said = [line for line in golden if line != EXCEPTION]
    if said == ours:
        return True
    silent = EXCEPTION in golden or (said[0] != '= 0' and not any(line[0] in '!>' for line in said))
    return silent and [line for line in ours if line[0] != '!'] == [line for line in said if line[0] != '!'] and \
        any(line[0] == '!' for line in ours) and all(line in ours for line in said)


def compare(cases, golden_path, names, dohle):
    golden = read_golden(golden_path)
    for case in cases:
        expected = golden.get(case.line, [[]]).pop(0) if golden.get(case.line) else ['nothing recorded']
        command = shlex.split(fill(case.line, names))
        try:
            ran = subprocess.run([dohle] + command, input=case.input, capture_output=True, text=True, encoding='utf-8', timeout=30)
            answer = {'exit': ran.returncode, 'out': ran.stdout, 'err': ran.stderr}
        except subprocess.TimeoutExpired:
            answer = {'exit': 'none: it did not end within 30 s', 'out': '', 'err': ''}
        ours = outcome(answer, names)
        if agree(expected, ours, case.unordered) != bool(case.why):
            print('ok     ', case.line[:110])
            continue
        print('FAILED ', case.line)
        if case.why:
            print('        does not differ any more:', case.why)
            continue
        for line in sorted(set(expected) - set(ours), key=expected.index):
            print('        Kafka:', line[:300])
        for line in sorted(set(ours) - set(expected), key=ours.index):
            print('        Dohle:', line[:300])
        if set(ours) == set(expected):
            print('        the same lines in another order or number')


def main():
    mode, commands, golden = sys.argv[1:4]
    split = sys.argv.index('--')
    names = dict(pair.split('=', 1) for pair in sys.argv[4:split])
    cases = read_commands(commands)
    if mode == 'record':
        record(cases, golden, names, sys.argv[split + 1:])
    else:
        compare(cases, golden, names, sys.argv[split + 1])


if __name__ == '__main__':
    main()
