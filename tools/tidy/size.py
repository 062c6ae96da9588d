"""Files and functions stay small. tools/tidy/ratchet.txt lists the exceptions with their present size; it may only shrink."""
import ast
import re
import subprocess

from .repository import Finding, line_of

FILE_LIMIT = 800
HEADER_LIMIT = 400
FUNCTION_LIMIT = 70
RATCHET = 'tools/tidy/ratchet.txt'

CONTAINER = re.compile(r'\b(?:namespace|class|struct|union|enum|extern|concept)\b')
INITIALIZED_MEMBER = re.compile(r'\)[^()]*:\s*(?:.*,)?\s*[\w:<>, ]+$', re.DOTALL)


def cpp_functions(code):
    """Yields (name, first line, lines) of function bodies in C++ text without comments and literals."""
    code = re.sub(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', lambda m: re.sub(r'[^\n]', ' ', m.group(0)), code, flags=re.MULTILINE)
    stack = []  # kinds of open blocks: container, function, inner
    head = 0    # where the declaration that is being read began
    parens = 0
    for at, c in enumerate(code):
        if c == '(':
            parens += 1
        elif c == ')':
            parens = max(0, parens - 1)
        elif c == ';' and parens == 0:
            head = at + 1
        elif c == '{':
            stack.append(_block(code[head:at], head, parens, stack))
            if stack[-1][0] in ('container', 'function'):
                head = at + 1
                parens = 0
        elif c == '}' and stack:
            kind, start, name = stack.pop()
            if kind == 'function' and not any(open_kind == 'function' for open_kind, _, _ in stack):
                first = line_of(code, start)
                yield name, first, line_of(code, at) - first + 1
            if kind in ('container', 'function'):
                head = at + 1
                parens = 0


def _block(text, head, parens, stack):
    start = head + len(text) - len(text.lstrip())
    inside = any(kind == 'function' for kind, _, _ in stack)
    if parens > 0 or inside or (stack and stack[-1][0] == 'inner'):
        return 'inner', start, ''
    flat = ' '.join(text.split())
    without_template = re.sub(r'^template\s*<.*?>\s*(?=\w)', '', flat)
    if '(' not in flat or (CONTAINER.match(without_template) and not re.search(r'\)\s*(?:const|noexcept|override|final|->.*)?\s*$', flat)):
        return ('container' if CONTAINER.search(flat) else 'inner'), start, ''
    if re.search(r'=\s*$', flat) or (INITIALIZED_MEMBER.search(flat) and re.search(r'[\w>]$', flat) and not re.search(r'\)\s*\w+$', flat)
                                     and not re.search(r'->\s*[\w:<>, ]+$', flat)):
        return 'inner', start, ''
    name = re.search(r'([~\w:]+|operator\S+)\s*\(', flat)
    return 'function', start, name.group(1) if name else 'function'


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def oversized(repository):
    """Yields (key, line, size, limit) of everything over its limit."""
    for path in repository.cpp + repository.python:
        text = repository.text(path)
        lines = text.count('\n')
        limit = HEADER_LIMIT if path.endswith('.h') else FILE_LIMIT
        if lines > limit:
            yield path, 1, lines, limit
        functions = python_functions(text) if path.endswith('.py') else cpp_functions(repository.code(path))
        for name, line, size in functions:
            if size > FUNCTION_LIMIT:
                yield f'{path} {name}', line, size, FUNCTION_LIMIT


def parse_ratchet(text):
    entries = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith('#'):
            key, size = line.rsplit(' ', 1)
            entries[key] = int(size)
    return entries


def previous_ratchet(repository):
    """The list as of the commit before the last one that touched it; None when there is none."""
    if not (repository.root / '.git').exists():
        return None
    git = ['git', '-C', str(repository.root)]
    commits = subprocess.run(git + ['log', '--format=%H', '-2', '--', RATCHET], capture_output=True, text=True, check=False).stdout.split()
    changed = subprocess.run(git + ['status', '--porcelain', '--', RATCHET], capture_output=True, text=True, check=False).stdout.strip()
    base = commits[0] if changed and commits else commits[1] if len(commits) > 1 else None
    if base is None:
        return None
    shown = subprocess.run(git + ['show', f'{base}:{RATCHET}'], capture_output=True, text=True, check=False)
    return parse_ratchet(shown.stdout) if shown.returncode == 0 else None


def compare(found, ratchet, previous):
    """`found`: key -> (line, size, limit). Findings where the list does not hold, or has grown."""
    findings = []
    for key, (line, size, limit) in sorted(found.items()):
        path = key.split(' ')[0]
        allowed = ratchet.get(key, limit)
        if size > allowed:
            findings.append(Finding(path, line, 'size', f'{key.split(" ")[-1]} has {size} lines, {allowed} are allowed'))
    for key, size in sorted(ratchet.items()):
        now = found.get(key, (1, 0, 0))[1]
        if now < size:
            findings.append(Finding(RATCHET, 1, 'ratchet', f'{key} has shrunk: ' + (f'write {now}' if now else 'remove it')))
        if previous is not None and size > previous.get(key, 0):
            findings.append(Finding(RATCHET, 1, 'ratchet', f'{key} {size} was added or has grown; the list may only shrink'))
    return findings


def check(repository):
    ratchet = parse_ratchet(repository.text(RATCHET)) if repository.exists(RATCHET) else {}
    found = {key: (line, size, limit) for key, line, size, limit in oversized(repository)}
    return compare(found, ratchet, previous_ratchet(repository))
