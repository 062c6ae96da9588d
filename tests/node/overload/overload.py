"""overload.py HOST:PORT PROCESS LIMIT SHARDS: see run."""
import os
import selectors
import struct
import sys
import time

import wire
from wire import MIB, batch

NODE = wire.Node(sys.argv[1], sys.argv[2])
LIMIT_MIB = int(sys.argv[3]) // MIB
SHARDS = int(sys.argv[4])
CONNECTIONS = 10_000
SLOW_READERS = 200
PRODUCERS = 1_000
# The largest a shard takes with this limit, less a little.
LARGE_FRAME = int(sys.argv[3]) // SHARDS // 5 - 1000
PATIENCE_S = 100

# A request of 1 MiB; the checksum of another would take this program a second.
MEGABYTE = batch(wire.record(os.urandom(MIB - 200)))


def within_the_limit(memory, served_s, most_s=5):
    assert served_s < most_s, f'the next client waited {served_s:.1f} s'
    most = memory.most_mib()
    assert most < LIMIT_MIB, f'{most:.0f} MiB of {LIMIT_MIB}'
    return f'{most:.0f} of {LIMIT_MIB} MiB, next client {served_s * 1000:.0f} ms'


def crowd(first_bytes):
    """As many connections as there may be, each saying `first_bytes`; those that the node closed at once are among them."""
    connections = []
    for number in range(wire.open_files(CONNECTIONS)):
        connection = NODE.connect()
        connections.append(connection)
        connection.send(first_bytes(number))
    return connections


def ten_thousand_sizes_and_then_silence():
    connections = []
    with wire.Memory(NODE) as memory:
        try:
            connections = crowd(lambda number: struct.pack('>i', 100 * MIB if number % 2 else LARGE_FRAME))
            note = within_the_limit(memory, max(NODE.serves() for _ in range(5)))
        finally:
            for connection in connections:
                connection.reset()
    return f'{len(connections)} connections, {note}'


def ten_thousand_beginnings_of_large_frames():
    """Each has sent a KiB of its frame: memory is asked for. A small client never waits for these, a large one until the slow have been closed."""
    connections = []
    with wire.Memory(NODE) as memory:
        try:
            connections = crowd(lambda number: struct.pack('>i', LARGE_FRAME) + bytes(1024))
            note = within_the_limit(memory, max(NODE.serves() for _ in range(5)))
        finally:
            for connection in connections:
                connection.reset()
    return f'{len(connections)} connections, {note}'


def fill(topic, megabytes):
    with NODE.connect() as connection:
        for _ in range(megabytes):
            error, _ = wire.produce_error(connection.ask(wire.produce(topic, MEGABYTE)))
            assert error == 0, f'error {error}'


def slow_readers_of_large_fetches():
    """They ask for 50 MiB each and take nothing, while the records they were promised are overtaken by newer ones."""
    readers = []
    with wire.Memory(NODE) as memory:
        fill('large', 40)
        end = 40
        try:
            for number in range(SLOW_READERS):
                reader = NODE.connect(receive_buffer=4096)
                readers.append(reader)
                for _ in range(3):
                    # The newest that are in memory, three times.
                    reader.send(wire.fetch('large', end - 20, 50 * MIB))
                if number % 2 == 0:
                    fill('large', 4)
                    end += 4
            note = within_the_limit(memory, max(NODE.serves() for _ in range(5)))
            # Who begins to read gets everything.
            answers = [wire.fetched(reader.answer()) for reader in readers[:2]]
            assert all(error == 0 and len(records) >= 2 * len(MEGABYTE) for error, records in answers), [len(records) for _, records in answers]
        finally:
            for reader in readers:
                reader.reset()
    return f'{len(readers)} readers, {note}'


def answers_that_nobody_takes():
    """Every setting of the broker, sixteen times each, to connections that do not read: when buffers are full these are closed."""
    ask = wire.request(32, 1, wire.array([b'\4' + wire.text('1') + struct.pack('>i', -1)]) + b'\1')
    with NODE.connect() as connection:
        size = len(connection.ask(ask))
    readers = []
    with wire.Memory(NODE) as memory:
        try:
            for _ in range(2_000):
                reader = NODE.connect(receive_buffer=4096)
                readers.append(reader)
                reader.send(ask * 16)
            # The first of these may wait until room has been made.
            note = within_the_limit(memory, max(NODE.serves() for _ in range(5)), most_s=15)
        finally:
            for reader in readers:
                reader.reset()
    return f'{len(readers)} readers, {len(readers) * 16 * size // MIB} MiB of answers, {note}'


def in_flight(connections, data):
    """Sends `data` over all of them at once and collects the answers; how many came, and how many of them were errors."""
    poll = selectors.DefaultSelector()
    states = {}
    for connection in connections:
        connection.socket.setblocking(False)
        states[connection] = [memoryview(data), bytearray()]
        poll.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
    answered = errors = 0
    until = time.monotonic() + PATIENCE_S
    while answered < len(connections) and time.monotonic() < until:
        for key, events in poll.select(1):
            connection = key.data
            state = states[connection]
            if events & selectors.EVENT_WRITE and state[0]:
                state[0] = state[0][connection.socket.send(state[0]):]
                if not state[0]:
                    poll.modify(connection.socket, selectors.EVENT_READ, connection)
            if events & selectors.EVENT_READ:
                got = connection.socket.recv(65536)
                assert got, f'closed after {answered} answers'
                state[1] += got
                if len(state[1]) >= 4 and len(state[1]) >= 4 + struct.unpack_from('>i', state[1])[0]:
                    error, _ = wire.produce_error(bytes(state[1][8:]))
                    errors += error != 0
                    answered += 1
                    poll.unregister(connection.socket)
    return answered, errors


def a_thousand_producers_with_a_megabyte_each():
    connections = [NODE.connect() for _ in range(PRODUCERS)]
    try:
        with wire.Memory(NODE) as memory:
            started = time.monotonic()
            answered, errors = in_flight(connections, wire.produce('crowded', MEGABYTE))
            seconds = time.monotonic() - started
            assert (answered, errors) == (PRODUCERS, 0), f'{answered} answers, {errors} errors in {seconds:.0f} s'
            note = within_the_limit(memory, NODE.serves())
    finally:
        for connection in connections:
            connection.reset()
    return f'{PRODUCERS} MiB in {seconds:.1f} s, {note}'


for each in 'healthy', 'large', 'crowded':
    NODE.create_topic(each)
with wire.Memory(NODE) as idle:
    print(f'a node without clients has {idle.before / MIB:.0f} MiB', file=sys.stderr)
sys.exit(1 if wire.run_cases([ten_thousand_sizes_and_then_silence, ten_thousand_beginnings_of_large_frames, slow_readers_of_large_fetches, answers_that_nobody_takes,
                              a_thousand_producers_with_a_megabyte_each]) else 0)
