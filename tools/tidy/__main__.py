"""The repository lint: python3 -m tools.tidy [--self-test] [--objects BUILD]

Prints findings as path:line: rule: message, then a count of checks. --self-test also proves that each check still finds what it is
there to find; --objects looks into the object files of a build as well.
"""
import argparse
import pathlib
import sys
import unittest

from . import banned, dead, layers, settings, size, words
from .repository import Repository

CHECKS = {
    'banned calls': banned.check_source,
    'order of modules': layers.check,
    'sizes': size.check,
    'words': words.check,
    'dead files': dead.check_files,
    'module READMEs': dead.check_readmes,
    'folders in docs': dead.check_folders,
    'settings that work': settings.check,
}


def run_checks(repository, build):
    """Prints findings; returns the names of the checks that passed, failed and were skipped."""
    passed, failed, skipped = [], [], []
    for name, check in CHECKS.items():
        findings = check(repository)
        for finding in findings:
            print(finding)
        (failed if findings else passed).append(name)
    if build:
        findings = banned.check_objects(repository, build)
        for finding in findings or []:
            print(finding)
        (skipped if findings is None else failed if findings else passed).append('object files')
        if findings is None:
            print(f'SKIPPED: object files: no nm, or nothing built in {build}')
    return passed, failed, skipped


def self_test():
    suite = unittest.defaultTestLoader.loadTestsFromName('tools.tidy.self_test')
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    bad = len(result.failures) + len(result.errors)
    return result.testsRun - bad, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--self-test', action='store_true')
    parser.add_argument('--objects', metavar='BUILD')
    options = parser.parse_args()
    repository = Repository(pathlib.Path(__file__).resolve().parents[2])
    passed, failed, skipped = run_checks(repository, options.objects)
    if failed:
        print('failed: ' + ', '.join(failed))
    good, bad = self_test() if options.self_test else (0, 0)
    print(f'{len(passed) + good} passed, {len(failed) + bad} failed, {len(skipped)} skipped')
    return 1 if failed or bad else 0


if __name__ == '__main__':
    sys.exit(main())
