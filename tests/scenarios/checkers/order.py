"""C5: to each consumer offsets ascend without a gap; to each idempotent producer the offsets of its records ascend.

A gap is legal where a batch has rotted, and where records may be gone from the beginning; there a reader may also be sent back after the node died, for the log's start
is written now and then only, as in Kafka. A member of a group begins anew wherever the group gives it a partition."""
from .history import place

ANEW = ('assigned', 'revoked', 'lost')


def check(history):
    return consumers(history) + producers(history)


def consumers(history):
    found = []
    trimmed = history.trims()
    next_offset = {}
    for event in history.of('poll', 'kill', 'power', *ANEW):
        who = event['w']
        if event['e'] in ('kill', 'power'):
            for key in [key for key in next_offset if key[1][0] in trimmed]:
                del next_offset[key]
            continue
        if event['e'] != 'poll':
            for key in [key for key in next_offset if key[0] == who]:
                del next_offset[key]
            continue
        tp = event['tp']
        for offset, _, _ in event['r']:
            expected = next_offset.get((who, tp))
            skips = expected is not None and offset > expected and tp[0] not in trimmed and not history.rotted(tp, expected, offset - 1)
            if skips or (expected is not None and offset < expected):
                found.append(f'{who} was given {place(tp)}@{offset} where {expected} was next')
            next_offset[who, tp] = offset + 1
    return found


def producers(history):
    idempotent = {event['w'] for event in history.of('producer') if event['idem']}
    acked = {}
    for ack in history.of('ack'):
        if ack['w'] in idempotent and ack['o'] >= 0:
            acked.setdefault((ack['w'], ack['tp']), []).append((int(ack['v'].rsplit('-', 1)[1]), ack['o'], ack['v']))
    found = []
    for (who, tp), records in sorted(acked.items()):
        records.sort()
        for before, after in zip(records, records[1:]):
            if after[1] <= before[1]:
                found.append(f'{who}: {before[2]} is at {place(tp)}@{before[1]}, {after[2]}, sent later, at {after[1]}')
    return found
