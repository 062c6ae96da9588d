"""A client of bare sockets for tests that must say exactly what goes over the wire, and what a process uses while it is served.

Versions are the oldest that Kafka 4 serves, as they are the plainest. Lines go out as tests/node_process.sh counts them.
"""
import os
import pathlib
import resource
import socket
import struct
import time
import traceback

TIMEOUT_S = 20
PRODUCE, FETCH, METADATA, CREATE_TOPICS, API_VERSIONS = 0, 1, 3, 19, 18
MIB = 1 << 20


def _crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def text(value):
    return struct.pack('>h', -1) if value is None else struct.pack('>h', len(value.encode())) + value.encode()


def array(items):
    return struct.pack('>i', len(items)) + b''.join(items)


def varint(value):
    """Zigzag, as in records."""
    return unsigned_varint((value << 1 ^ value >> 63) & (1 << 64) - 1)


def unsigned_varint(value):
    out = b''
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def record(value, delta=0, timestamp_delta=0):
    body = b'\0' + varint(timestamp_delta) + varint(delta) + varint(-1) + varint(len(value)) + value + b'\0'
    return varint(len(body)) + body


def batch(records, count=1, attributes=0, timestamp=None, base_offset=0, producer=(-1, -1, -1), last_delta=None, epoch=-1):
    """Magic 2 with a right checksum around `records`, compressed or not. A node goes through a batch byte by byte only if that is right."""
    now = int(time.time() * 1000) if timestamp is None else timestamp
    delta = count - 1 if last_delta is None else last_delta
    tail = struct.pack('>hiqqqhii', attributes, delta, now, now, *producer, count) + records
    return struct.pack('>qiibI', base_offset, len(tail) + 9, epoch, 2, crc32c(tail)) + tail


def request(key, version, body, correlation=7):
    frame = struct.pack('>hhi', key, version, correlation) + text('test') + body
    return struct.pack('>i', len(frame)) + frame


def produce(topic, records, acks=-1, partition=0):
    """Version 3."""
    part = struct.pack('>ii', partition, len(records)) + records
    return request(PRODUCE, 3, text(None) + struct.pack('>hi', acks, 10000) + array([text(topic) + array([part])]))


def fetch(topic, offset, partition_bytes, max_bytes=50 * MIB, wait_ms=0):
    """Version 4."""
    part = struct.pack('>iqi', 0, offset, partition_bytes)
    return request(FETCH, 4, struct.pack('>iiiib', -1, wait_ms, 1, max_bytes, 0) + array([text(topic) + array([part])]))


class Connection:
    def __init__(self, address, timeout=TIMEOUT_S, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, length):
        data = bytearray()
        while len(data) < length:
            more = self.socket.recv(min(1 << 20, length - len(data)))
            if not more:
                raise ConnectionError('the connection was closed')
            data += more
        return bytes(data)

    def answer(self):
        return self.receive(struct.unpack('>i', self.receive(4))[0])[4:]

    def ask(self, data):
        self.send(data)
        return self.answer()

    def is_closed(self):
        """Waits for the other side to close."""
        try:
            return self.socket.recv(1) == b''
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes without leaving the port behind in TIME_WAIT: thousands of those would use them up."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def produce_error(answer):
    """(error, base offset) of the only partition in an answer of version 3."""
    at = 4 + 2 + struct.unpack_from('>h', answer, 4)[0] + 4 + 4
    return struct.unpack_from('>hq', answer, at)


def fetched(answer):
    """(error, records) of the only partition in an answer of version 4."""
    at = 4 + 4 + 2 + struct.unpack_from('>h', answer, 8)[0] + 4
    _, error, _, _, aborted = struct.unpack_from('>ihqqi', answer, at)
    at += 26 + 16 * max(0, aborted)
    length = struct.unpack_from('>i', answer, at)[0]
    return error, answer[at + 4:at + 4 + max(0, length)]


class Node:
    def __init__(self, bootstrap, process):
        host, _, port = bootstrap.rpartition(':')
        self.address = (host if host != 'localhost' else '127.0.0.1', int(port))
        self.process = int(process)

    def connect(self, **options):
        return Connection(self.address, **options)

    def status(self, field):
        """A size in /proc/PID/status, in bytes."""
        for line in pathlib.Path(f'/proc/{self.process}/status').read_text().splitlines():
            if line.startswith(field + ':'):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError('the node is gone')

    def create_topic(self, name):
        """Version 2."""
        topic = text(name) + struct.pack('>ih', 1, 1) + array([]) + array([])
        with self.connect() as connection:
            answer = connection.ask(request(CREATE_TOPICS, 2, array([topic]) + struct.pack('>ib', 10000, 0)))
        error = struct.unpack_from('>h', answer, 4 + 4 + 2 + len(name))[0]
        assert error in (0, 36), f'{name} was not created: {error}'

    def serves(self, topic='healthy', size=20000):
        """A record larger than any allowance goes in and comes out, within the time of a usual client. Seconds it took."""
        started = time.monotonic()
        value = b'v' * size
        with self.connect() as connection:
            error, offset = produce_error(connection.ask(produce(topic, batch(record(value)))))
            assert error == 0, f'produce: error {error}'
            error, records = fetched(connection.ask(fetch(topic, offset, MIB)))
            assert error == 0 and value in records, f'fetch: error {error}, {len(records)} bytes'
        return time.monotonic() - started


class Memory:
    """The most memory that a node's process had since the block began, kept by the kernel."""

    def __init__(self, node):
        self.node = node

    def __enter__(self):
        pathlib.Path(f'/proc/{self.node.process}/clear_refs').write_text('5')
        self.before = self.node.status('VmRSS')
        return self

    def __exit__(self, *_):
        pass

    def most_mib(self):
        return self.node.status('VmHWM') / MIB

    def grown_mib(self):
        # A sanitizer takes memory of its own.
        return 0 if 'DOHLE_SANITIZER' in os.environ else self.most_mib() - self.before / MIB


def open_files(wanted):
    """Raises the limit of this process as far as it goes; how many of the wanted connections there may be, in the node as well."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(wanted, most - 200)


def run_cases(cases):
    failed = 0
    for case in cases:
        name = case.__name__.replace('_', ' ')
        started = time.monotonic()
        try:
            note = case()
            print(f'ok      {name}' + (f': {note}' if note else '') + f' ({time.monotonic() - started:.1f} s)', flush=True)
        except Exception:  # a case may fail in any way
            failed += 1
            print(f'FAILED  {name}', flush=True)
            print('        ' + traceback.format_exc().strip().replace('\n', '\n        '), flush=True)
    return failed
