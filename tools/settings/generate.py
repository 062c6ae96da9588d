#!/usr/bin/env python3
"""Turns src/broker/config/settings/*.txt into one C++ table: generate.py SETTINGS_DIR OUTPUT.cc"""
import pathlib
import sys

TABLES = {'server': 'kServer', 'topic': 'kTopic', 'group': 'kGroup', 'client-metrics': 'kClientMetrics'}
COLUMNS = ['name', 'type', 'default', 'allowed', 'importance', 'change', 'synonyms', 'flags']
CHANGE = {'static': 'kStatic', 'broker': 'kPerBroker', 'cluster': 'kClusterWide'}
EFFECT = {'works': 'kWorks', 'later': 'kLater', 'moot': 'kMoot'}
SIMPLE_RULES = {'gzip-level': 'kGzipLevel', 'quorum-voters': 'kQuorumVoters', 'host-ports': 'kHostPorts', 'replica-list': 'kReplicaList',
                'reset-strategy': 'kResetStrategy', 'non-empty': 'kNonEmpty', 'non-null': 'kNonNull'}


def rows(path, columns):
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) > len(columns):
            raise SystemExit(f'{path}:{number}: {len(cells)} columns, expected at most {len(columns)}')
        yield dict(zip(columns, cells + [''] * (len(columns) - len(cells))))


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


class Writer:
    """Collects rows and the word and rule arrays they point into."""

    def __init__(self):
        self.arrays = []

    def array(self, kind, items):
        if not items:
            return '{}'
        name = f'kArray{len(self.arrays)}'
        self.arrays.append(f'constexpr {kind} {name}[] = {{{", ".join(items)}}};')
        return name

    def words(self, text):
        return self.array('std::string_view', [quote(word) for word in text.split()])

    def rule(self, text):
        word, _, rest = text.partition(' ')
        if word in SIMPLE_RULES:
            return f'Rule{{.kind = Rule::Kind::{SIMPLE_RULES[word]}}}'
        if word == 'range':
            low, high = rest.split('..')
            parts = ['.kind = Rule::Kind::kRange'] + ([f'.min = {low}'] if low else []) + ([f'.max = {high}'] if high else [])
            return f'Rule{{{", ".join(parts)}}}'
        if word == 'at-most':
            return f'Rule{{.kind = Rule::Kind::kAtMostItems, .max = {rest}}}'
        if word in ('in', 'in-any-case'):
            kind = 'kOneOf' if word == 'in' else 'kOneOfAnyCase'
            return f'Rule{{.kind = Rule::Kind::{kind}, .words = {self.words(rest)}}}'
        if word == 'list':
            head, _, listed = f' {rest} '.partition(' in ')
            empty, null = (str(flag in head.split()).lower() for flag in ('empty-ok', 'null-ok'))
            return (f'Rule{{.kind = Rule::Kind::kList, .empty_allowed = {empty}, .null_allowed = {null}, '
                    f'.words = {self.words(listed)}}}')
        raise SystemExit(f'unknown rule: {text}')

    def setting(self, row, note):
        rules = [self.rule(part.strip()) for part in row['allowed'].split(' & ')] if row['allowed'] else []
        synonyms = []
        for synonym in filter(None, row['synonyms'].split(',')):
            name, _, factor = synonym.partition('*')
            synonyms.append(f'Synonym{{{quote(name)}, {factor or 1}}}')
        default = row['default']
        flags = row['flags'].split()
        fields = [
            f'.name = {quote(row["name"])}',
            f'.type = ValueType::k{row["type"].capitalize()}',
            f'.required = {str(default == "required").lower()}',
            '.fallback = ' + ('std::nullopt' if default in ('null', 'required') else quote('' if default == '""' else default)),
            f'.rules = {self.array("Rule", rules)}',
            f'.importance = Importance::k{row["importance"].capitalize()}',
            f'.change = Change::{CHANGE[row["change"]]}',
            f'.synonyms = {self.array("Synonym", synonyms)}',
            f'.internal = {str("internal" in flags).lower()}',
            f'.dynamic_only = {str("dynamic-only" in flags).lower()}',
            f'.effect = Effect::{EFFECT[note["effect"]]}',
            f'.documentation = {quote(note["text"])}',
        ]
        return 'Setting{' + ', '.join(fields) + '}'


def load(directory):
    tables = {name: {row['name']: row for row in rows(directory / f'{name}.txt', COLUMNS)} for name in TABLES}
    for row in rows(directory / 'dohle.txt', ['table'] + COLUMNS):
        known = row['name'] in tables[row['table']]
        if known != ('changed' in row['flags'].split()):
            raise SystemExit(f'dohle.txt: {row["name"]} is {"" if known else "not "}a setting of Kafka')
        tables[row['table']][row['name']] = row
    notes = {(row['table'], row['name']): row for row in rows(directory / 'notes.txt', ['table', 'name', 'effect', 'text'])}
    for table, settings in tables.items():
        missing = [name for name in settings if (table, name) not in notes]
        if missing:
            raise SystemExit(f'notes.txt says nothing about {table}: {", ".join(missing)}')
    unknown = [f'{table}: {name}' for table, name in notes if name not in tables.get(table, {})]
    if unknown:
        raise SystemExit(f'notes.txt describes unknown settings: {", ".join(unknown)}')
    return tables, notes


def main():
    directory, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    tables, notes = load(directory)
    writer = Writer()
    bodies = []
    for table, constant in TABLES.items():
        settings = [writer.setting(tables[table][name], notes[table, name]) for name in sorted(tables[table])]
        bodies.append(f'constexpr Setting {constant}[] = {{\n    ' + ',\n    '.join(settings) + '};')
    cases = '\n'.join(f'    case Table::{constant}: return {constant};' for constant in TABLES.values())
    output.write_text(f'''// Made by tools/settings/generate.py from src/broker/config/settings.
#include <broker/config/setting.h>

namespace dohle::broker::config {{
namespace {{

{chr(10).join(writer.arrays)}

{chr(10).join(bodies)}

}}  // namespace

std::span<const Setting> settings(Table table) {{
  switch (table) {{
{cases}
  }}
  return {{}};
}}

}}  // namespace dohle::broker::config
''', encoding='utf-8')


if __name__ == '__main__':
    main()
