"""A setting that is said to work is read somewhere: by its own name, or as the default of a topic setting that is."""
from .repository import Finding, is_test

NOTES = 'src/broker/config/settings/notes.txt'
TOPICS = 'src/broker/config/settings/topic.txt'


def _topic_names(repository):
    """Server setting -> names of the topic settings it gives the default of."""
    names = {}
    for line in repository.text(TOPICS).splitlines() if TOPICS in repository.paths else []:
        cells = [cell.strip() for cell in line.split('|')]
        for synonym in cells[6].split(',') if len(cells) > 6 else []:
            names.setdefault(synonym.partition('*')[0].strip(), []).append(cells[0])
    return names


def check(repository):
    if NOTES not in repository.paths:
        return []
    sources = [repository.text(path) for path in repository.cpp if not is_test(path) and path.endswith(('.cc', '.h'))]
    topic_names = _topic_names(repository)
    findings = []
    for number, line in enumerate(repository.text(NOTES).splitlines(), 1):
        cells = [cell.strip() for cell in line.split('|')]
        if line.startswith('#') or len(cells) < 3 or cells[2] != 'works':
            continue
        names = [cells[1]] + (topic_names.get(cells[1], []) if cells[0] == 'server' else [])
        if not any(f'"{name}"' in source for name in names for source in sources):
            findings.append(Finding(NOTES, number, 'settings', f'{cells[1]} is said to work, but no source names it'))
    return findings
