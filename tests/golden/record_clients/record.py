#!/usr/bin/env python3
"""Stands between clients and a node and keeps one request of each API and version, as the client NAME of the corpora sent it.

    record.py PORT NODE_HOST:NODE_PORT NAME

Listens on 127.0.0.1:PORT until it is killed. Frames go to src/protocol/corpus/request_fuzz, without their length; the first batch of
a produce request of each codec to src/records/corpus/batch_fuzz.
"""
import pathlib
import socket
import struct
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
FRAMES = ROOT / 'src' / 'protocol' / 'corpus' / 'request_fuzz'
BATCHES = ROOT / 'src' / 'records' / 'corpus' / 'batch_fuzz'
CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
BATCH_HEADER = 61
MOST_BYTES = 4096
PRODUCE = 0


def keep_batch(frame, name):
    """A batch of magic 2 is found by where its magic and length must be."""
    for at in range(len(frame) - BATCH_HEADER + 1):
        offset, length, _, magic = struct.unpack_from('>qiib', frame, at)
        if offset == 0 and magic == 2 and at + 12 + length <= len(frame) and length >= BATCH_HEADER - 12:
            codec = struct.unpack_from('>h', frame, at + 21)[0] & 7
            (BATCHES / f'{name}_{CODECS[codec]}').write_bytes(frame[at:at + 12 + length])
            return


def keep(frame, name):
    key, version = struct.unpack_from('>hh', frame)
    if len(frame) > MOST_BYTES:
        return
    path = FRAMES / f'{name}_{key}_v{version}'
    if not path.exists():
        path.write_bytes(frame)
    if key == PRODUCE:
        keep_batch(frame, name)


def relay(source, target, on_bytes):
    try:
        while data := source.recv(65536):
            on_bytes(data)
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, node, name):
    upstream = socket.create_connection(node)
    pending = bytearray()

    def on_request(data):
        pending.extend(data)
        while len(pending) >= 4 and len(pending) >= 4 + struct.unpack_from('>i', pending)[0]:
            size = struct.unpack_from('>i', pending)[0]
            keep(bytes(pending[4:4 + size]), name)
            del pending[:4 + size]

    threading.Thread(target=relay, args=(upstream, client, lambda data: None), daemon=True).start()
    relay(client, upstream, on_request)


def main():
    port, node, name = sys.argv[1:4]
    host, _, node_port = node.rpartition(':')
    listener = socket.create_server(('127.0.0.1', int(port)))
    print('ready', flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, (host, int(node_port)), name), daemon=True).start()


main()
