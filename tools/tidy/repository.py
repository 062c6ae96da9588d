"""The files the lint looks at, and C++ text with comments and literals blanked out."""
import dataclasses
import functools
import pathlib
import re
import subprocess

# In the order of the house: a module may include only itself and modules above it.
MODULES = ['base', 'runtime', 'sim', 'http', 'records', 'protocol', 'security', 'transport', 'storage', 'raft', 'metadata', 'replication',
           'coordinator', 'broker', 'client', 'streams', 'registry', 'connect']
FOUNDATION_AND_WIRE = MODULES[:MODULES.index('storage')]
ECOSYSTEM = MODULES[MODULES.index('client'):]


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.rule}: {self.message}'


BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def blank(text):
    """`text` with comments and literals replaced by blanks; line numbers stay. Digit separators are no literals."""
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", '_', text)

    return BLANKED.sub(lambda match: re.sub(r'[^\n]', ' ', match.group(0)), text)


class Repository:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    @functools.cached_property
    def paths(self):
        """All files that are tracked or could be, relative to the root, sorted."""
        if (self.root / '.git').exists():
            listed = subprocess.run(['git', '-C', str(self.root), 'ls-files', '-co', '--exclude-standard'], check=True, capture_output=True,
                                    text=True).stdout.splitlines()
            return sorted(path for path in set(listed) if (self.root / path).is_file())
        skipped = ('build', 'data', '.cache', '__pycache__')
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob('*')
                      if path.is_file() and not any(part in skipped for part in path.relative_to(self.root).parts))

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        return (self.root / path).read_text(encoding='utf-8', errors='replace')

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        return blank(self.text(path))

    def exists(self, path):
        return (self.root / path).exists()

    @functools.cached_property
    def cpp(self):
        return [path for path in self.paths if path.endswith(('.cc', '.h')) and path.split('/')[0] in ('src', 'apps', 'tests', 'cmake')]

    @functools.cached_property
    def python(self):
        return [path for path in self.paths if path.endswith('.py')]

    def is_text(self, path):
        data = (self.root / path).read_bytes()[:4096]
        return b'\0' not in data


def is_test(path):
    return path.startswith(('tests/', 'cmake/')) or '/testing/' in path or re.search(r'_(test|fuzz|bench)\.(cc|h)$', path) is not None


def module_of(path):
    parts = path.split('/')
    return parts[1] if parts[0] == 'src' and len(parts) > 2 else None


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1
