#!/usr/bin/env python3
"""Takes from every file below DIRECTORY what no sync had covered: cut.py DIRECTORY SYNCED_LOG (see synced.c)."""
import os
import pathlib
import sys

directory, log = sys.argv[1:]
durable = {}
for line in pathlib.Path(log).read_text(encoding='ascii').splitlines():
    inode, size = map(int, line.split())
    durable[inode] = size
cut = 0
for path in pathlib.Path(directory).rglob('*'):
    if not path.is_file():
        continue
    status = path.stat()
    keep = durable.get(status.st_ino, 0)
    if status.st_size > keep:
        os.truncate(path, keep)
        cut += status.st_size - keep
print(f'cut {cut} bytes')
