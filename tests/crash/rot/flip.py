#!/usr/bin/env python3
"""Turns one bit of a file over: flip.py FILE WHERE. Prints the position; for a batch of a segment also its offsets.

WHERE: `byte N` (from the end when negative), `text WORD N` (the Nth byte from where WORD begins; `letter` for one that becomes another letter), or `batch N BYTE`:
a byte of the Nth batch of a segment (from the end when negative), by name or `payload`, in its middle.
"""
import struct
import sys

FIELDS = {'offset': 6, 'length': 9, 'magic': 16, 'crc': 18, 'attributes': 22, 'last': 24, 'count': 58}
HEADER = 61


def batches(data):
    at = 0
    while at + HEADER <= len(data):
        base, length = struct.unpack_from('>qi', data, at)
        if length < HEADER - 12:
            return
        yield at, 12 + length, base, base + struct.unpack_from('>i', data, at + 23)[0]
        at += 12 + length


def main():
    path, kind, *where = sys.argv[1:]
    with open(path, 'r+b') as file:
        data = file.read()
        told = []
        if kind == 'byte':
            at = int(where[0]) % len(data)
        elif kind in ('text', 'letter'):
            at = data.index(where[0].encode()) + int(where[1])
        else:
            begin, size, *told = list(batches(data))[int(where[0])]
            at = begin + (FIELDS[where[1]] if where[1] in FIELDS else HEADER + (size - HEADER) // 2)
        new = data[at] ^ 0x40  # no digit stays one
        if kind == 'letter':
            new = ord('B') if data[at] != ord('B') else ord('C')
        file.seek(at)
        file.write(bytes([new]))
    print(at, *told)


main()
