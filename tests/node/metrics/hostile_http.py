"""Peers that speak bad HTTP to metrics.listener: a line each, as tests/node_process.sh counts them."""
import contextlib
import socket
import sys
import time

import wire

PORT = int(sys.argv[1])
NODE = wire.Node(f'127.0.0.1:{PORT}', sys.argv[2])
GET = b'GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n'


def connect():
    made = socket.create_connection(('127.0.0.1', PORT), timeout=20)
    return contextlib.closing(made)


def read_all(peer):
    out = b''
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            out += part
    return out


def status_of(data):
    with connect() as peer:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.sendall(data)
        answer = read_all(peer)
    assert answer.startswith(b'HTTP/1.1 '), answer[:100]
    return int(answer[9:12])


def serves():
    with connect() as peer:
        peer.sendall(GET)
        assert peer.recv(65536).startswith(b'HTTP/1.1 200 OK\r\n')


def a_mebibyte_without_a_line():
    before = NODE.status('VmRSS')
    for _ in range(20):
        assert status_of(b'G' * wire.MIB) == 431
    assert NODE.status('VmRSS') < before + 4 * wire.MIB, NODE.status('VmRSS') - before


def headers_without_end():
    with connect() as peer:
        sent = 0
        peer.sendall(b'GET /metrics HTTP/1.1\r\nHost: h\r\n')
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 16 * wire.MIB:
                peer.sendall(b'A: b\r\n' * 1000)
                sent += 6000
        assert sent < 8 * wire.MIB, sent
    serves()


def chunks_byte_by_byte():
    """Two packets that an assertion in a well-known parser does not survive; docs/decisions/005-metrics.md."""
    with connect() as peer:
        for part in (b'GET /metrics HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n', b'0\r\n', b'\r', b'\n'):
            peer.sendall(part)
            time.sleep(0.05)
        assert peer.recv(65536).startswith(b'HTTP/1.1 200 OK\r\n')


def two_lengths():
    assert status_of(b'POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n') == 400


def other_protocols():
    assert status_of(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(500)) == 400
    assert status_of(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') == 505
    assert status_of(b'\x00\x00\x00\x14\x00\x12\x00\x03' + bytes(20)) == 400


def slow_ones():
    """All connections there may be, each with a byte now and then: they are closed after 10 s, and then others are served."""
    peers = [socket.create_connection(('127.0.0.1', PORT), timeout=20) for _ in range(16)]
    began = time.monotonic()
    left = set(peers)
    at = 0
    while left and time.monotonic() - began < 15:
        for peer in sorted(left, key=id):
            try:
                peer.sendall(GET[at:at + 1] or b'x')
            except OSError:
                left.discard(peer)
        at = min(at + 1, 20)
        time.sleep(0.5)
    took = time.monotonic() - began
    for peer in peers:
        peer.close()
    assert not left and 8 < took < 14, (len(left), took)
    serves()


def too_many():
    """One more than there may be is closed at once; the others go on."""
    peers = [socket.create_connection(('127.0.0.1', PORT), timeout=20) for _ in range(16)]
    for peer in peers:
        peer.sendall(GET)
        assert peer.recv(65536).startswith(b'HTTP/1.1 200 OK\r\n')
    with connect() as more:
        assert read_all(more) == b''
    for peer in peers:
        peer.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            return serves()
        except (OSError, AssertionError):
            assert time.monotonic() < deadline


def takes_nothing():
    """Asks again and again and reads no answer: what waits for it is bounded."""
    before = NODE.status('VmRSS')
    with connect() as peer:
        peer.settimeout(3)
        with contextlib.suppress(OSError):
            for _ in range(100_000):
                peer.sendall(GET)
        assert NODE.status('VmRSS') < before + 8 * wire.MIB, NODE.status('VmRSS') - before
    serves()


wire.run_cases((a_mebibyte_without_a_line, headers_without_end, chunks_byte_by_byte, two_lengths, other_protocols, too_many, takes_nothing, slow_ones))
