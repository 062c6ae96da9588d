"""C9, classic groups: a partition has one owner in a generation; a member of an old generation commits nothing; what was committed never
goes back; what was committed was read; and what was deleted, or has expired, stays away."""
import collections

from . import registers
from .history import place

PATIENCE_US = 1_000_000  # an answer that took so long may be that of a second attempt


def check(history):
    return owners(history) + fences(history) + regressions(history) + skips(history) + registers.judge(history, 'offset')


def owners(history):
    owner, found = {}, []
    for event in history.of('assigned'):
        for partition in event['p']:
            key = (event['g'], event['gen'], tuple(partition))
            # By program: a static member that comes back takes its own place under a new id, in the same generation (KIP-345).
            first = owner.setdefault(key, event['w'])
            if first != event['w']:
                found.append(f"{place(key[2])} was given to {first} and to {event['w']} in generation {event['gen']} of {event['g']}")
    return found


def fences(history):
    found = []
    newest = {}
    begun = {}
    for event in history.of('assigned', 'commit', 'committed'):
        group = event['g']
        if event['e'] == 'assigned':
            newest[group] = max(newest.get(group, -1), event['gen'])
        elif event['e'] == 'commit':
            begun[event['w'], event['id']] = newest.get(group, -1)
        else:
            known = begun.get((event['w'], event['id']), -1)
            if event['gen'] < known and event.get('gen_after', event['gen']) == event['gen']:
                found.append(f"{event['w']} committed in generation {event['gen']} of {group} after somebody was in {known}")
    return found


def late_commits(history):
    """The lowest offset, by partition, of commits that were sent more than once or never answered: a first attempt may arrive after what the
    same member of the same generation committed next, in Kafka as here."""
    lowest, begun = {}, {}
    for event in history.of('commit', 'committed', 'uncommitted'):
        if event['e'] == 'commit':
            begun[event['w'], event['id']] = event
        elif event['e'] == 'committed' and event['t'] - begun[event['w'], event['id']]['t'] < PATIENCE_US:
            del begun[event['w'], event['id']]
    for event in begun.values():
        for topic, partition, offset in event['o']:
            key = (event['g'], topic, partition)
            lowest[key] = min(lowest.get(key, offset), offset)
    return lowest


def regressions(history):
    found = []
    late = late_commits(history)
    highest = {}
    begun = {}
    for event in history.of('commit', 'committed'):
        for topic, partition, offset in event['o']:
            key = (event['g'], topic, partition)
            if event['e'] == 'commit':
                begun[event['w'], event['id'], key] = highest.get(key, 0)
                continue
            before = begun.get((event['w'], event['id'], key), 0)
            if offset < before and not late.get(key, offset + 1) <= offset:
                found.append(f"{event['w']} committed {place(key[1:])}@{offset} to {key[0]}, where {before} was committed before")
            highest[key] = max(highest.get(key, 0), offset)
    for event in history.of('left_committed'):
        left = {(event['g'], topic, partition): offset for topic, partition, offset in event['o']}
        for key, offset in sorted(highest.items()):
            if key[0] == event['g'] and left.get(key, -1) < offset and not late.get(key, offset) <= left.get(key, -1):
                found.append(f"{place(key[1:])}@{offset} was committed to {key[0]}, and in the end it is {left.get(key, 'nowhere')}")
    return found


def skips(history):
    """Every record below a committed offset was given to some member."""
    group_of = {event['w']: event['g'] for event in history.of('assigned')}
    given = collections.defaultdict(set)
    content = collections.defaultdict(set)
    for event in history.of('poll'):
        offsets = {record[0] for record in event['r']}
        if event['w'] in group_of:
            given[group_of[event['w']], event['tp']] |= offsets
        if event['w'] == 'final':
            content[event['tp']] |= offsets
    committed = {}
    for event in history.of('committed'):
        for topic, partition, offset in event['o']:
            key = (event['g'], (topic, partition))
            committed[key] = max(committed.get(key, 0), offset)
    found = []
    for (group, tp), offset in sorted(committed.items()):
        missing = sorted(o for o in content[tp] if o < offset and o not in given[group, tp])
        if missing and tp[0] not in history.trims():
            found.append(f'{group} committed {place(tp)}@{offset}, and nobody was given {len(missing)} records before it, the first @{missing[0]}')
    return found
