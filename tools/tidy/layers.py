"""A module includes only itself and modules above it in the order of the house; private headers stay private."""
import re

from .repository import ECOSYSTEM, FOUNDATION_AND_WIRE, MODULES, Finding, line_of, module_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def _may_include(module, other):
    if module == other:
        return True
    if MODULES.index(other) > MODULES.index(module):
        return False
    if module in ECOSYSTEM:
        return other in FOUNDATION_AND_WIRE or other in ECOSYSTEM
    return True


def check(repository):
    findings = []
    for path in repository.cpp:
        module = module_of(path)
        if module is None:
            continue
        if module not in MODULES:
            findings.append(Finding(path, 1, 'order', f'src/{module} has no place in the order of the house'))
            continue
        for match in INCLUDE.finditer(repository.text(path)):
            target = match.group(2)
            line = line_of(repository.text(path), match.start())
            if '../' in target:
                findings.append(Finding(path, line, 'order', f'{target} climbs out of its folder'))
            other = target.split('/')[0]
            if match.group(1) == '<' and other in MODULES and '/' in target and not _may_include(module, other):
                findings.append(Finding(path, line, 'order', f'{module} may not include <{target}>'))
    return findings
