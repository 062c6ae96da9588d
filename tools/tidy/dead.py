"""Files that nothing uses, and modules and folders that nobody describes."""
import pathlib
import re

from .repository import MODULES, Finding

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
TABLE_ROW = re.compile(r'^\|\s*`([^`|]+)/`\s*\|', re.MULTILINE)


def _headers(repository):
    included = {pathlib.PurePosixPath(target).name for path in repository.cpp for target in INCLUDE.findall(repository.text(path))}
    return [Finding(path, 1, 'dead', 'no file includes it') for path in repository.cpp
            if path.endswith('.h') and pathlib.PurePosixPath(path).name not in included]


def _corpora(repository):
    findings = []
    place = re.compile(r'(src/\w+|apps)/')
    fuzzers = {(place.match(path).group(1), pathlib.PurePosixPath(path).stem) for path in repository.cpp if path.endswith('_fuzz.cc') and place.match(path)}
    corpora = {match.groups() for match in (re.match(r'(src/\w+|apps)/corpus/([^/]+)/', path) for path in repository.paths) if match}
    for folder, name in sorted(corpora - fuzzers):
        findings.append(Finding(f'{folder}/corpus/{name}', 1, 'dead', 'no fuzz target reads it'))
    for folder, name in sorted(fuzzers - corpora):
        findings.append(Finding(folder, 1, 'corpus', f'{name}.cc has no corpus in {folder}/corpus/{name}'))
    return findings


def _scripts(repository):
    """A script that no other file names is used by nobody."""
    findings = []
    scripts = [path for path in repository.paths if path.endswith(('.py', '.sh', '.java')) and path.split('/')[0] in ('tools', 'tests')]
    others = [path for path in repository.paths if repository.is_text(path) and '/corpus/' not in path and not path.startswith('tests/golden/data')]
    for script in scripts:
        name = pathlib.PurePosixPath(script).name
        stem = pathlib.PurePosixPath(script).stem
        if name in ('__main__.py', '__init__.py', 'run'):
            continue
        word = re.compile(r'(?<![\w])' + re.escape(stem) + r'(?![\w])')
        if not any(word.search(repository.text(other)) for other in others if other != script):
            findings.append(Finding(script, 1, 'dead', 'no other file names it'))
    return findings


def _sources(repository):
    """dohle_module finds sources by name, so a .cc below src/ is built if its module is; elsewhere a CMakeLists.txt must name it."""
    lists = [path for path in repository.paths if path.endswith(('CMakeLists.txt', '.cmake'))]
    findings = []
    for path in repository.cpp:
        if not path.endswith('.cc'):
            continue
        parts = path.split('/')
        if parts[0] == 'src' and len(parts) > 2:
            if f'src/{parts[1]}/CMakeLists.txt' not in repository.paths:
                findings.append(Finding(path, 1, 'dead', f'src/{parts[1]} has no CMakeLists.txt'))
            continue
        if not any(parts[-1] in repository.text(listing) or 'GLOB' in repository.text(listing) and listing.startswith(parts[0]) for listing in lists):
            findings.append(Finding(path, 1, 'dead', 'no CMakeLists.txt names it'))
    return findings


def check_files(repository):
    return _headers(repository) + _corpora(repository) + _scripts(repository) + _sources(repository)


def check_readmes(repository):
    findings = []
    for module in sorted({path.split('/')[1] for path in repository.paths if path.startswith('src/') and path.count('/') > 1}):
        readme = f'src/{module}/README.md'
        if readme not in repository.paths:
            findings.append(Finding(readme, 1, 'readme', 'a module says what it owns, its invariants, its shard and what it never does'))
        elif not 5 <= repository.text(readme).count('\n') <= 80:
            findings.append(Finding(readme, 1, 'readme', 'a README of one screen: 5 to 80 lines'))
    return findings


def check_folders(repository):
    """The table of folders in docs/ARCHITECTURE.md is the tree."""
    page = 'docs/ARCHITECTURE.md'
    if page not in repository.paths:
        return [Finding(page, 1, 'folders', 'is missing')]
    described = set(TABLE_ROW.findall(repository.text(page)))
    actual = {f'src/{module}' for module in MODULES if any(path.startswith(f'src/{module}/') for path in repository.paths)}
    actual |= {path.split('/')[0] for path in repository.paths if '/' in path and not path.startswith(('.', 'src/'))}
    findings = [Finding(page, 1, 'folders', f'{folder}/ is not in the table') for folder in sorted(actual - described)]
    findings += [Finding(page, 1, 'folders', f'{folder}/ is in the table, but not in the tree') for folder in sorted(described - actual)]
    return findings
