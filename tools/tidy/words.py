"""What must not stand in the repository's text, and names that say nothing."""
import re

from .repository import Finding, line_of

HERE = 'tools/tidy/'
ABSOLUTE = re.compile(r'(?<![\w.~$})/-])/(?:work|home|root|Users|mnt|shared|oracle)/[\w.-]+')
# Split, so that this file does not contain them.
REGISTRIES = re.compile('|'.join(['repo1?\\.maven\\.' + 'org', 'repo\\.maven\\.apache\\.' + 'org', 'registry\\.npmjs\\.' + 'org', 'pypi\\.' + 'org',
                                  'files\\.pythonhosted\\.' + 'org', 'proxy\\.golang\\.' + 'org', 'packages\\.confluent\\.' + 'io', 'deb\\.debian\\.' + 'org',
                                  'confluentinc/' + 'kafka']))
UNFINISHED = re.compile(r'\b(?:TO' + r'DO|FIX' + r'ME|XX' + r'X|HA' + r'CK)\b')
EMPTY_NAMES = re.compile(r'(?:^|[_/-])(?:utils?|common|misc|helpers?)(?:[_./-]|$)')
# Data made by others, and data that is compared byte by byte.
NOT_OURS = ('tests/golden/', 'LICENSE')


def check(repository):
    findings = []
    for path in repository.paths:
        if EMPTY_NAMES.search(path):
            findings.append(Finding(path, 1, 'name', 'says nothing about what is inside'))
        if path.startswith(NOT_OURS) or '/corpus/' in path or not repository.is_text(path):
            continue
        text = repository.text(path)
        for pattern, rule, message in ((ABSOLUTE, 'path', 'a path of one machine'), (REGISTRIES, 'registry', 'the host of a registry or mirror'),
                                       (UNFINISHED, 'unfinished', 'finish it, or write down what is missing where people look')):
            findings += [Finding(path, line_of(text, match.start()), rule, f'{match.group(0)}: {message}') for match in pattern.finditer(text)]
    return findings
