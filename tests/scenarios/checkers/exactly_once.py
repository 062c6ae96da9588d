"""C3: with idempotence, a record is at one offset and no other."""
import collections

from .history import place


def check(history):
    idempotent = {event['w'] for event in history.of('producer') if event['idem']}
    offsets = collections.defaultdict(set)
    for event in history.of('poll'):
        for offset, value, _ in event['r']:
            offsets[event['tp'], value].add(offset)
    found = []
    for (tp, value), at in sorted(offsets.items()):
        if len(at) > 1 and value.rsplit('-', 1)[0] in idempotent:
            found.append(f'{value} is at {len(at)} offsets of {place(tp)}: {sorted(at)}')
    return found
