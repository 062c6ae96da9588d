"""Fetches over a bare socket and looks at the bytes: fetch.py HOST:PORT. A line a case, `ok` or `FAILED`.

Version 4: the oldest that Kafka 4 serves, and the plainest.
"""
import socket
import struct
import sys
import traceback

OFFSET_OUT_OF_RANGE = 1
PLENTY = 50 << 20
HOST, PORT = sys.argv[1].rsplit(':', 1)
CONNECTION = socket.create_connection((HOST, int(PORT)), 20)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from('>' + form, self.data, self.at)
        self.at += struct.calcsize('>' + form)
        return values[0] if len(values) == 1 else values

    def bytes(self, length):
        self.at += length
        return self.data[self.at - length:self.at]


def text(value):
    return struct.pack('>h', len(value)) + value.encode()


def receive(length):
    data = b''
    while len(data) < length:
        more = CONNECTION.recv(length - len(data))
        assert more, 'the connection was closed'
        data += more
    return data


def fetch(*partitions, max_bytes=PLENTY):
    """Asks for (topic, offset, partition limit), all of partition 0. Answers a list of (error, records or None) in that order."""
    body = struct.pack('>hhi', 1, 4, 7) + text('raw') + struct.pack('>iiiibi', -1, 0, 0, max_bytes, 0, len(partitions))
    for topic, offset, limit in partitions:
        body += text(topic) + struct.pack('>iiqi', 1, 0, offset, limit)
    CONNECTION.sendall(struct.pack('>i', len(body)) + body)
    answer = Reader(receive(struct.unpack('>i', receive(4))[0]))
    assert answer.take('i') == 7
    answer.take('i')
    found = {}
    for _ in range(answer.take('i')):
        topic = answer.bytes(answer.take('h')).decode()
        assert answer.take('i') == 1
        _, error, _, _, aborted = answer.take('ihqqi')
        assert aborted <= 0
        length = answer.take('i')
        found[topic] = error, None if length < 0 else answer.bytes(length)
    assert answer.at == len(answer.data), 'bytes are left over'
    return [found[topic] for topic, _, _ in partitions]


def batches(records):
    """(first offset, last offset, size) of each whole batch; the last one may be cut."""
    at, found = 0, []
    while at + 61 <= len(records):
        base, length = struct.unpack_from('>qi', records, at)
        if at + 12 + length > len(records):
            break
        delta = struct.unpack_from('>i', records, at + 23)[0]
        found.append((base, base + delta, 12 + length))
        at += 12 + length
    return found


def read_through(topic, end, limit, max_bytes=PLENTY):
    """From the first record to `end`, an answer after the other; returns their sizes."""
    position, sizes = 0, []
    while position < end:
        [(error, records)] = fetch((topic, position, limit), max_bytes=max_bytes)
        assert error == 0
        sizes.append(len(records))
        whole = batches(records)
        assert whole, f'no whole batch at {position}'
        for first, last, _ in whole:
            assert first <= position <= last, f'a gap: {position} is not in {first}..{last}'
            position = last + 1
    assert position == end
    return sizes


def reads_with_a_limit():
    sizes = read_through('long', 5000, 50000)
    assert max(sizes) <= 50000 and len(sizes) > 5000 * 1000 // 50000, sizes


def reads_a_batch_at_a_time():
    sizes = read_through('long', 5000, 1000)
    assert len(sizes) > 300 and min(sizes[:-1]) > 1000, sizes


def keeps_the_whole_limit():
    sizes = read_through('long', 5000, PLENTY, max_bytes=60000)
    assert max(sizes) <= 60000, sizes


def reads_with_plenty():
    read_through('long', 5000, PLENTY)


def is_empty_at_the_end():
    assert fetch(('first', 100, PLENTY)) == [(0, b'')]


def is_out_of_range():
    for offset in 101, 1 << 40, -5:
        assert fetch(('first', offset, PLENTY)) == [(OFFSET_OUT_OF_RANGE, b'')]


def gives_one_batch_to_the_first():
    (_, first), (_, second) = fetch(('first', 0, PLENTY), ('second', 0, PLENTY), max_bytes=1)
    assert len(batches(first)) == 1 and batches(first)[0][2] == len(first) and second == b'', (first, second)


def skips_an_empty_first():
    (_, first), (_, second) = fetch(('first', 100, PLENTY), ('second', 0, PLENTY), max_bytes=1)
    assert first == b'' and len(batches(second)) == 1, (first, second)


def starts_within_a_batch():
    first, last, _ = batches(fetch(('long', 2500, 1))[0][1])[0]
    assert first <= 2500 <= last and first < last


def case(name, test):
    try:
        test()
        print(f'ok      {name}')
    except Exception:  # A case may fail in any way.
        print(f'FAILED  {name}')
        print('\n'.join('        ' + line[:200] for line in traceback.format_exc().splitlines()[-6:]))


case('reads sealed segments with a limit far below their size, without a gap', reads_with_a_limit)
case('gives a whole batch where the limit is smaller', reads_a_batch_at_a_time)
case('keeps the limit of the whole answer', keeps_the_whole_limit)
case('reads without limits', reads_with_plenty)
case('answers with zero bytes at the end', is_empty_at_the_end)
case('says what is out of range', is_out_of_range)
case('gives the first partition one batch over the limit, and the second none', gives_one_batch_to_the_first)
case('goes over the limit for the first partition that has records', skips_an_empty_first)
case('gives the batch that an offset is within', starts_within_a_batch)
