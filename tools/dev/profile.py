#!/usr/bin/env python3
"""Counts what runs often, for cmake/dohle.profdata: see docs/decisions/007-profile.md.

    tools/dev/profile.py [--no-build]

Builds dohle and the simulator with counters (build/profile), puts loads on one and seeds through the other, and merges what they counted.
Which functions and branches are hot hardly depends on the machine. Needs llvm-19 and libclang-rt-19-dev beside what builds Dohle.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / 'build' / 'profile'
COUNTED = BUILD / 'counted'
INTO = ROOT / 'cmake' / 'dohle.profdata'
MERGE = 'llvm-profdata-19'
os.environ.update(DOHLE=str(BUILD / 'dohle'), LLVM_PROFILE_FILE=str(COUNTED / '%m-%p.profraw'))
sys.path.insert(0, str(ROOT / 'tests' / 'bench'))
from harness import broker  # noqa: E402: it reads DOHLE

LARGE = {'records': 128, 'bytes': 1000}
SMALL = {'records': 145, 'bytes': 100}
MANY = 100
SEEDS = {'speed/speed': 2, 'plain': 4, 'groups': 2, 'kill': 2, 'power': 2, 'topics': 2, 'storm': 2}


def build():
    subprocess.run(['cmake', '--preset', 'release', '-B', str(BUILD), '-DDOHLE_PROFILE=make'], cwd=ROOT, check=True)
    subprocess.run(['ninja', '-C', str(BUILD), 'dohle', 'dohle_sim', 'dohle_load'], check=True)


def produce(node):
    for connections in (1, 32, MANY):
        node.create(f'small-{connections}', connections)
        node.load('produce', topic=f'small-{connections}', connections=connections, requests=40_000)
    node.create('synced', MANY, flush__messages=1)
    node.load('produce', topic='synced', connections=32, partitions=MANY, requests=20_000)
    for codec in ('none', 'lz4', 'zstd', 'snappy', 'gzip'):
        node.create(codec)
        node.load('produce', topic=codec, codec=codec, requests=2_000, **SMALL)
        node.load('produce', topic=codec, codec=codec, requests=200, **LARGE)
    node.create('once')
    node.load('produce', topic='once', idempotent=1, in_flight=5, requests=5_000, **SMALL)


def consume(node):
    node.load('fetch', topic='none', connections=4, once=1, seconds=60)
    node.create('tail')
    node.load('tail', topic='tail', readers=4, rate=2_000, seconds=3)
    node.create('quiet', MANY)
    node.load('idle', topic='quiet', connections=10, partitions=MANY, seconds=2)
    node.load('join', group='joins', members=MANY)
    node.load('commit', group='commits-', groups=20, topic=f'small-{MANY}', partitions=16, rate=2_000, seconds=3)


def serve():
    node = broker.dohle()
    try:
        node.start_until_accepted('first')
        produce(node)
        consume(node)
        node.stop()
        node.start_until_accepted('first')
        node.stop()
    finally:
        node.remove()


def simulate():
    for scenario, seeds in SEEDS.items():
        for seed in range(1, seeds + 1):
            subprocess.run([str(BUILD / 'dohle_sim'), str(ROOT / 'tests' / 'scenarios' / f'{scenario}.txt'), '--seed', str(seed)], check=True,
                           stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description='Counts what runs often.')
    parser.add_argument('--no-build', action='store_true', help='what is in build/profile is up to date')
    if not parser.parse_args().no_build:
        build()
    shutil.rmtree(COUNTED, ignore_errors=True)
    COUNTED.mkdir()
    serve()
    simulate()
    subprocess.run([MERGE, 'merge', '-sparse', '-o', str(INTO), *map(str, COUNTED.glob('*.profraw'))], check=True)
    print(f'{INTO}: {INTO.stat().st_size} bytes')


main()
