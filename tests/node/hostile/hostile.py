"""hostile.py HOST:PORT PROCESS: see run."""
import base64
import gzip
import pathlib
import random
import select
import socket
import struct
import sys

import wire
from wire import MIB, array, batch, request, text, unsigned_varint

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / 'golden'
NODE = wire.Node(sys.argv[1], sys.argv[2])
# What one frame may hold while it is read and decoded, and then some for the node's own business.
MOST_MIB = 160
# Of small requests, whatever they claim.
MOST_OF_SMALL_MIB = 48
# Frames that the node ought not to work on for longer than this are sent and left alone.
WAIT_S = 0.5


def headers():
    """(API name, version): the header Kafka writes, with the key of the API."""
    out = {}
    for line in (GOLDEN / 'apis.txt').read_text().splitlines():
        words = line.split()
        if words[0] == 'api':
            api = words[2]
        elif words[0] == 'version':
            out[api, int(words[1])] = base64.b64decode(words[4])
    return out


def golden_requests():
    """(name, version, case, header, body) of all requests that Kafka's own classes wrote."""
    known = headers()
    for (api, version), header in sorted(known.items()):
        path = GOLDEN / 'messages' / f'{api}Request.txt'
        for line in path.read_text().splitlines() if path.exists() else ():
            number, case, content, _ = line.split(' ', 3)
            if int(number) == version:
                yield api, version, case, header, base64.b64decode(content)


class Sender:
    """Sends frames one after the other, over a new connection whenever the node has closed the last one or owes an answer for too long."""

    def __init__(self):
        self.connection = None
        self.answered = self.closed = self.silent = 0

    def send(self, frame):
        if self.connection is None:
            self.connection = NODE.connect()
        try:
            self.connection.send(struct.pack('>i', len(frame)) + frame)
            if not select.select([self.connection.socket], [], [], WAIT_S)[0]:
                self.silent += 1
                self.drop()
                return
            self.connection.answer()
            self.answered += 1
        except OSError:
            self.closed += 1
            self.drop()

    def drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def __str__(self):
        return f'{self.answered} answered, {self.closed} closed, {self.silent} without an answer in {WAIT_S} s'


def stays_small(memory, most=MOST_OF_SMALL_MIB):
    seconds = NODE.serves()
    assert seconds < 5, f'the next client waited {seconds:.1f} s'
    assert memory.grown_mib() < most, f'memory grew by {memory.grown_mib():.0f} MiB'
    return f'+{memory.grown_mib():.0f} MiB, next client {seconds * 1000:.0f} ms'


def frame_of_tags(tags, claimed):
    """ApiVersions 3; its header claims so many tagged fields."""
    return struct.pack('>hhi', wire.API_VERSIONS, 3, 1) + text('c') + unsigned_varint(claimed) + tags


def cve_2026_111115_twenty_million_empty_tags():
    count = 20_000_000
    # Tags must rise, so Kafka's reader was fed with these: 20 million distinct numbers, each with nothing behind it.
    part = b''.join(unsigned_varint(tag) + b'\0' for tag in range(128, 16384))
    tags = b''.join(bytes([tag, 0]) for tag in range(128)) + part
    tags += b''.join(unsigned_varint(tag) + b'\0' for tag in range(16384, 1_000_000))
    with wire.Memory(NODE) as memory:
        for frame in (frame_of_tags(tags, 1_000_000) + b'\1\1\0', frame_of_tags(b'\0\0' * count, count) + b'\1\1\0', frame_of_tags(b'\0\0', count),
                      frame_of_tags(b'', 0xFFFFFFFF), frame_of_tags(b'\0' + unsigned_varint(0x7FFFFFFF), 1)):
            with NODE.connect() as connection:
                try:
                    connection.send(struct.pack('>i', len(frame)) + frame)
                    connection.answer()
                except OSError:
                    pass
        return stays_small(memory, MOST_MIB)


LENGTHS = [struct.pack('>i', value) for value in (0x7FFFFFFF, -0x80000000, -2, 0x00FFFFFF)] + [
    b'\xff\xff\xff\xff\x0f', b'\xff\xff\xff\xff\x7f', b'\x80\x80\x80\x80\x08', b'\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01', b'\x7f\xff']


def cve_2026_111108_lengths_that_lie_in_every_api():
    """Wherever there may be a length: the golden bodies with a huge, negative or overflowing one written over them, the lowest and the highest version."""
    draw = random.Random(111108)
    bodies = {}
    for api, version, case, header, body in golden_requests():
        if case == 'filled':
            bodies.setdefault(api, []).append((header, body))
    sender = Sender()
    with wire.Memory(NODE) as memory:
        for frames in bodies.values():
            for header, body in {frames[0], frames[-1]}:
                for length in LENGTHS:
                    at = draw.randrange(max(1, len(body)))
                    sender.send(header + body[:at] + length + body[at + len(length):])
                    # At the first array or string of the message, too, with nothing behind it.
                    sender.send(header + length)
        note = stays_small(memory)
    assert sender.closed > 1000, sender
    return f'{len(bodies)} APIs, {sender}; {note}'


def arrays_of_the_smallest_elements():
    """A frame of 16 MiB whose three bytes each become a structure of many: ListOffsets 6 with topics of an empty name and no partition, OffsetFetch 8
    with as many groups."""
    count = 16 * MIB // 3 // 20
    with wire.Memory(NODE) as memory:
        for key, version, before, nested in ((2, 6, struct.pack('>ib', -1, 0), b'\1\1\0'), (9, 8, b'', b'\1\1\0'),
                                             (9, 8, b'', b'\1' + unsigned_varint(count // 1000 + 1) + b'\1\1\0' * (count // 1000) + b'\0')):
            elements = max(1, 15 * MIB // len(nested)) if len(nested) > 3 else min(999_999, 5 * MIB)
            header = struct.pack('>hhi', key, version, 1) + text('c') + b'\0'
            frame = header + before + unsigned_varint(elements + 1) + nested * elements + b'\0\0'
            with NODE.connect() as connection:
                try:
                    connection.send(struct.pack('>i', len(frame)) + frame)
                    connection.answer()
                except OSError:
                    pass
        # A partition of eight bytes named again and again, as often as a decoder takes it.
        for count in (100_000, 200_000, 300_000, 999_999):
            frame = wire.produce('healthy', b'')[4:-12] + struct.pack('>i', count) + struct.pack('>ii', 0, -1) * count
            with NODE.connect() as connection:
                try:
                    connection.send(struct.pack('>i', len(frame)) + frame)
                    connection.answer()
                except OSError:
                    pass
        return stays_small(memory, MOST_MIB)


def cve_2022_34917_a_size_and_then_silence():
    """10,000 connections, or as many as this machine lets a process open."""
    sockets = []
    size = struct.pack('>i', 8 * MIB)
    with wire.Memory(NODE) as memory:
        try:
            for _ in range(wire.open_files(10_000)):
                connection = NODE.connect()
                sockets.append(connection)
                connection.send(size)
            note = stays_small(memory, MOST_MIB)
        finally:
            for connection in sockets:
                connection.reset()
    return f'{len(sockets)} connections, {note}'


def xerial(chunk_length, chunk):
    return b'\x82SNAPPY\0' + struct.pack('>iii', 1, 1, chunk_length) + chunk


def bombs():
    """Name, codec, compressed records."""
    zeros = gzip.compress(bytes(400 * MIB), 9)
    yield 'gzip of 400 MiB', 1, zeros
    for length in (0x7FFFFFFF, -1, -0x80000000, 0x10000000):
        yield f'snappy chunk of {length}', 2, xerial(length, b'\x05\x10hello')
    # Raw blocks, and one in a chunk, that claim to become 4 GiB; then one that copies one byte on and on.
    claim = unsigned_varint(0xFFFFFFFF)
    yield 'snappy block of 4 GiB', 2, claim + b'\0a'
    yield 'snappy chunk with a block of 4 GiB', 2, xerial(len(claim) + 2, claim + b'\0a')
    copies = unsigned_varint(64 * 16000 + 1) + b'\0a' + b'\xfe\x01\0' * 16000
    yield 'snappy copies', 2, xerial(len(copies), copies)
    yield 'lz4 with the largest blocks', 3, b'\x04\x22\x4d\x18\x60\x70\x73' + struct.pack('<I', 0x7FFFFFFF) + bytes(64)
    # A frame header with a window of 2 GiB, and one with a content size of 2^63.
    yield 'zstd window', 4, b'\x28\xb5\x2f\xfd\x00\xa8' + b'\x01\0\0'
    yield 'zstd content size', 4, b'\x28\xb5\x2f\xfd\xe0' + struct.pack('<Q', 1 << 63) + b'\x01\0\0'


def cve_2023_34455_compressed_records_that_lie():
    notes = []
    with wire.Memory(NODE) as memory:
        for name, codec, content in bombs():
            with NODE.connect() as connection:
                error, _ = wire.produce_error(connection.ask(wire.produce('healthy', batch(content, attributes=codec))))
                assert error != 0, f'{name} was accepted'
                notes.append(f'{name}: error {error}')
        note = stays_small(memory)
    return f'{len(notes)} kinds, {note}'


EXTREMES = [-0x8000000000000000, -0x7FFFFFFFFFFFFFFF, -3, -2, -1, 0, 1 << 31, 0x7FFFFFFFFFFFFFFE, 0x7FFFFFFFFFFFFFFF]


def timestamps_and_offsets_of_batches_at_their_ends():
    value = wire.record(b'v')
    with wire.Memory(NODE) as memory, NODE.connect() as connection:
        taken = 0
        for number in EXTREMES:
            for made in (batch(value, timestamp=number), batch(value, base_offset=number), batch(value, producer=(number, 0, 0)),
                         batch(value, producer=(1, number & 0x7FFF, 0x7FFFFFFF)), batch(value, last_delta=max(-0x80000000, min(number, 0x7FFFFFFF))),
                         batch(value, count=max(-0x80000000, min(number, 0x7FFFFFFF)), last_delta=0),
                         batch(value, epoch=max(-0x80000000, min(number, 0x7FFFFFFF))),
                         batch(wire.record(b'v', timestamp_delta=number), timestamp=0), batch(wire.record(b'v', delta=number & 0x7FFFFFFF))):
                error, _ = wire.produce_error(connection.ask(wire.produce('extreme', made)))
                taken += error == 0
        assert taken > 0
        # What was taken can be read, and looked up by time.
        error, records = wire.fetched(connection.ask(wire.fetch('extreme', 0, MIB)))
        assert error == 0 and records
        return f'{taken} taken; {stays_small(memory)}'


def int32(number):
    return max(-0x80000000, min(number, 0x7FFFFFFF))


def numbers_of_requests_at_their_ends():
    """Fetch, ListOffsets, OffsetForLeaderEpoch, OffsetCommit, DeleteRecords, with the topic that is there."""
    sender = Sender()
    topic = text('healthy')
    with wire.Memory(NODE) as memory:
        for number in EXTREMES:
            small = int32(number)
            for key, version, body in (
                    (1, 4, struct.pack('>iiiib', -1, 0, 0, small, 0) + array([topic + array([struct.pack('>iqi', 0, number, small)])])),
                    (1, 4, struct.pack('>iiiib', small, 0, small, MIB, 1) + array([topic + array([struct.pack('>iqi', small, 0, MIB)])])),
                    (2, 1, struct.pack('>i', -1) + array([topic + array([struct.pack('>iq', 0, number)])])),
                    (2, 4, struct.pack('>ib', -1, 1) + array([topic + array([struct.pack('>iiq', 0, small, number)])])),
                    (23, 2, array([topic + array([struct.pack('>iii', 0, -1, small)])])),
                    (23, 3, struct.pack('>i', small) + array([topic + array([struct.pack('>iii', 0, small, small)])])),
                    (8, 2, text('g') + struct.pack('>i', -1) + text('') + struct.pack('>q', number) + array([topic + array([struct.pack('>iq', 0, number) + text('m')])])),
                    (8, 6, text('g') + struct.pack('>i', small) + text('') + array([topic + array([struct.pack('>iqi', 0, number, small) + text(None)])])),
                    (21, 0, array([topic + array([struct.pack('>iq', small, number)])]) + struct.pack('>i', small)),
                    (22, 0, text(None) + struct.pack('>i', small)), (22, 0, text('t') + struct.pack('>i', small)),
                    (11, 2, text('g2') + struct.pack('>ii', small, small) + text('') + text('consumer') + array([text('range') + struct.pack('>i', 0)])),
                    (37, 0, array([topic + struct.pack('>ii', small, -1)]) + struct.pack('>ib', small, 0)),
                    (19, 2, array([text('extreme2') + struct.pack('>ih', small, small & 0x7FFF) + array([]) + array([])]) + struct.pack('>ib', small, 1))):
                sender.send(request(key, version, body)[4:])
        return f'{sender}; {stays_small(memory)}'


def an_item_twice_or_none_at_all():
    sender = Sender()
    with wire.Memory(NODE) as memory:
        for topics in ([], ['healthy'] * 2, ['healthy', 'other', 'healthy'], [''] * 3, ['x' * 32767], ['healthy'] * 5000, ['../../etc', 'a/b', '.', '..', 'a\0b']):
            names = [text(name) for name in topics]
            for parts in ([], [0], [0, 0], [0, 1, 0], [-1], [0] * 3000):
                def nested(form, *values, before=b'', after=b'', end=b''):
                    inner = array([struct.pack('>i', part) + struct.pack('>' + form, *values) + end for part in parts])
                    return before + array([name + inner for name in names][:20]) + after
                for key, version, body in (
                        (0, 3, nested('i', -1, before=text(None) + struct.pack('>hi', -1, 1000))),
                        (0, 3, nested('i', 0, before=text(None) + struct.pack('>hi', 1, 1000))),
                        (1, 4, nested('qi', 0, 100, before=struct.pack('>iiiib', -1, 0, 0, MIB, 0))), (2, 1, nested('q', -1, before=struct.pack('>i', -1))),
                        (8, 2, nested('q', 1, before=text('g') + struct.pack('>i', -1) + text('') + struct.pack('>q', -1), end=text(''))),
                        (9, 1, nested('', before=text('g'))), (21, 0, nested('q', 0, after=struct.pack('>i', 1000))), (23, 2, nested('ii', -1, 0)),
                        (47, 0, nested('', before=text('g')))):
                    sender.send(request(key, version, body)[4:])
            for key, version, body in (
                    (3, 4, array(names) + b'\0'), (3, 1, struct.pack('>i', -1)), (20, 1, array(names) + struct.pack('>i', 1000)) if 'healthy' not in topics else (3, 4, array(names) + b'\0'),
                    (19, 2, array([name + struct.pack('>ih', 1, 1) + array([]) + array([]) for name in names]) + struct.pack('>ib', 1000, 1)),
                    (19, 2, array([name + struct.pack('>ih', -1, -1) + array([struct.pack('>i', 0) + array([struct.pack('>i', 1)])] * 2) + array([text('a') + text(None)] * 2)
                                   for name in names]) + struct.pack('>ib', 1000, 1)),
                    (37, 0, array([name + struct.pack('>i', 2) + array([array([])]) for name in names]) + struct.pack('>ib', 1000, 1)),
                    (15, 0, array(names)), (42, 0, array(names)), (32, 1, array([b'\2' + name + array([text('retention.ms')] * 2) for name in names]) + b'\1'),
                    (33, 0, array([b'\2' + name + array([text('retention.ms') + text('5')] * 2) for name in names]) + b'\1'),
                    (44, 0, array([b'\2' + name + array([text('retention.ms') + b'\0' + text('5')] * 2) for name in names]) + b'\1'),
                    (13, 0, text('g') + text('')), (35, 1, array([name + array([struct.pack('>i', 0)] * 2) for name in names])), (35, 1, struct.pack('>i', -1))):
                sender.send(request(key, version, body)[4:])
        assert sender.answered > 300, sender
        return f'{sender}; {stays_small(memory)}'


def every_golden_request_of_kafka():
    """Each API at each version: default, filled, with nulls, empty, with 130 elements, with unknown tags. Whatever the answer is."""
    sender = Sender()
    with wire.Memory(NODE) as memory:
        for _, _, _, header, body in golden_requests():
            sender.send(header + body)
        note = stays_small(memory)
    assert sender.answered > 500, sender
    return f'{sender}; {note}'


def frames_cut_at_every_byte():
    """A request that ends early, a byte at a time, in one piece and in two."""
    frame = request(wire.METADATA, 4, array([text('healthy')]) + b'\0')
    for at in range(len(frame)):
        with NODE.connect() as connection:
            connection.send(frame[:at])
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.is_closed(), f'still open after {at} bytes and the end'
        with NODE.connect() as connection:
            connection.send(frame[:at])
            connection.send(frame[at:])
            connection.answer()


def sizes_that_no_frame_has():
    for size in (-1, -0x80000000, 0x7FFFFFFF, 100 * MIB + 1, 0, 1, 7):
        with NODE.connect() as connection:
            connection.send(struct.pack('>i', size) + bytes(max(0, min(size, 100))))
            assert connection.is_closed(), f'still open after a size of {size}'


for each in 'healthy', 'extreme', 'other':
    NODE.create_topic(each)
sys.exit(1 if wire.run_cases([sizes_that_no_frame_has, frames_cut_at_every_byte, cve_2026_111115_twenty_million_empty_tags,
                              cve_2026_111108_lengths_that_lie_in_every_api, arrays_of_the_smallest_elements, cve_2023_34455_compressed_records_that_lie,
                              timestamps_and_offsets_of_batches_at_their_ends, numbers_of_requests_at_their_ends, an_item_twice_or_none_at_all,
                              every_golden_request_of_kafka, cve_2022_34917_a_size_and_then_silence]) else 0)
