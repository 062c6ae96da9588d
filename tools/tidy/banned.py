"""Clocks, threads, sockets, files and hash containers only where they belong: in source text and in object files."""
import pathlib
import re
import shutil
import subprocess

from .repository import Finding, is_test, line_of

# May touch the operating system; what lies in tests is no part of Dohle, but drives it from outside.
OUTSIDE_WORLD = ('src/runtime/live/', 'src/base/log.cc', 'src/base/check.cc', 'tests/crash/workload.cc', 'tests/bench/')

CLOCKS = re.compile(r'\b(?:system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday|std::time|nanosleep|usleep)\b')
THREADS = re.compile(r'\bstd::(?:jthread|thread|mutex|recursive_mutex|timed_mutex|shared_mutex|condition_variable|condition_variable_any|lock_guard|'
                     r'scoped_lock|unique_lock|shared_lock|async|call_once|this_thread)\b|\bpthread_\w+')
RANDOM = re.compile(r'\bstd::(?:random_device|rand|srand)\b|\bgetrandom\b')
FILES = re.compile(r'(?<![\w.>:])::(?:open|openat|creat|close|read|write|pread|pwrite|unlink|rename|stat|mkdir|fsync|fdatasync|mmap|socket|bind|connect|'
                   r'listen|accept|accept4|send|recv|sendfile|epoll_\w+|fork|system)\s*\(|\b(?:fopen|freopen|opendir|readdir)\s*\(')
STREAMS = re.compile(r'\bstd::(?:ifstream|ofstream|fstream|filesystem)\b')
HEADERS = re.compile(r'^[ \t]*#[ \t]*include[ \t]*<(thread|mutex|shared_mutex|condition_variable|future|fcntl\.h|unistd\.h|pthread\.h|poll\.h|dirent\.h|'
                     r'sys/(?!types\.h)[\w./]+|netinet/[\w./]+|arpa/[\w./]+|netdb\.h|boost/asio[\w./]*)>', re.MULTILINE)
STREAM_HEADERS = re.compile(r'^[ \t]*#[ \t]*include[ \t]*<(fstream|filesystem)>', re.MULTILINE)
HASHES = re.compile(r'\bstd::unordered_\w+|\babsl::(?:flat|node)_hash_\w+')
MISSING_IN_LIBRARY = re.compile(r'^[ \t]*#[ \t]*include[ \t]*<(format|print|generator|flat_map)>', re.MULTILINE)
USING = re.compile(r'^[ \t]*using[ \t]+namespace\b', re.MULTILINE)

SYMBOLS = re.compile(r'^(?:clock_gettime|gettimeofday|time|nanosleep|usleep|pthread_create|pthread_mutex_lock|pthread_cond_\w+|socket|bind|listen|accept4?|'
                     r'connect|epoll_\w+|open|open64|openat|fopen|fopen64|opendir|fsync|fdatasync|sendfile|sendfile64|getrandom|fork|'
                     r'std::chrono::_V2::(?:system|steady)_clock::now\(\)|std::random_device::.*|std::thread::.*|'
                     r'std::condition_variable::.*|std::basic_[io]?f(?:stream|ilebuf)<.*)(?:@.*)?$')


def _find(repository, path, pattern, rule, message):
    code = repository.code(path)
    return [Finding(path, line_of(code, match.start()), rule, message.format(match.group(0).strip())) for match in pattern.finditer(code)]


def check_source(repository):
    findings = []
    for path in repository.cpp:
        if path.endswith('.h') and '#pragma once' not in repository.text(path):
            findings.append(Finding(path, 1, 'header', 'a header begins with #pragma once'))
        if path.endswith('.h'):
            findings += _find(repository, path, USING, 'header', '{} in a header')
        findings += _find(repository, path, MISSING_IN_LIBRARY, 'library', '{}: libstdc++ 12 does not have it')
        if not path.startswith('src/base/'):
            findings += _find(repository, path, HASHES, 'hash', '{}: take base/hash_map.h, or an ordered container')
        if path.startswith(OUTSIDE_WORLD):
            continue
        findings += _find(repository, path, CLOCKS, 'clock', '{} outside runtime/live: time comes in as an argument or from runtime::Clock')
        findings += _find(repository, path, THREADS, 'thread', '{} outside runtime/live: shards and messages instead')
        findings += _find(repository, path, RANDOM, 'random', '{} outside runtime/live: runtime::Random instead')
        findings += _find(repository, path, FILES, 'system call', '{} outside runtime/live: runtime::FileSystem and runtime::Network instead')
        findings += _find(repository, path, HEADERS, 'system header', '{} outside runtime/live')
        if not is_test(path):
            findings += _find(repository, path, STREAMS, 'file', '{} outside runtime/live: runtime::FileSystem instead')
            findings += _find(repository, path, STREAM_HEADERS, 'file', '{} outside runtime/live')
    return findings


# A tree whose keys are addresses: what is iterated has another order in every process, and a seed another history.
ADDRESS_ORDER = re.compile(r'std::_Rb_tree<[\w:]+(?: const)?\*[,>]')


def address_ordered(listing):
    """Trees ordered by address, from `nm -C` output."""
    return sorted({match.group(0) for match in ADDRESS_ORDER.finditer(listing)})


def undefined_symbols(listing):
    """Undefined names from `nm -C` output."""
    names = []
    for line in listing.splitlines():
        kind, _, name = line.strip().partition(' ')
        if kind in ('U', 'w', 'v'):
            names.append(name.strip())
    return names


# Reads the scenario that it is given.
SIMULATOR_MAIN = 'tests/scenarios/simulator/main.cc'


def is_banned_symbol(name):
    return SYMBOLS.match(name) is not None


def check_objects(repository, build):
    """Looks into the object files of the libraries: a macro or a library's inline function cannot hide a call there."""
    nm = shutil.which('llvm-nm-19') or shutil.which('nm')
    build = pathlib.Path(build)
    if nm is None or not (build / 'src').is_dir():
        return None
    findings = []
    for found, source in simulated_objects(build):
        if source.startswith(OUTSIDE_WORLD) or source not in repository.paths:
            continue
        listing = subprocess.run([nm, '-C', str(found)], check=True, capture_output=True, text=True).stdout
        findings += [Finding(source, 1, 'symbol', f'its object file calls {name}') for name in undefined_symbols(listing)
                     if is_banned_symbol(name) and not (source == SIMULATOR_MAIN and name.startswith('std::basic_'))]
        findings += [Finding(source, 1, 'order', f'{tree} ...> is ordered by address') for tree in address_ordered(listing)]
    return findings


def simulated_objects(build):
    """Object files of what runs in simulation, with their sources: the libraries and the simulator."""
    for found in sorted((build / 'src').glob('*/CMakeFiles/dohle_*.dir/**/*.cc.o')):
        relative = found.relative_to(build)
        if relative.parts[3] == f'dohle_{relative.parts[1]}.dir':
            yield found, '/'.join(('src', relative.parts[1]) + relative.parts[4:])[:-len('.o')]
    for found in sorted((build / 'tests').glob('CMakeFiles/dohle_simulator.dir/**/*.cc.o')):
        yield found, '/'.join(('tests',) + found.relative_to(build).parts[3:])[:-len('.o')]
