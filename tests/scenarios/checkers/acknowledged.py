"""C1: every acknowledged record is read back in the end, where it was said to be.

acks=all counts always; acks=1 counts unless the power failed afterwards, for a killed process leaves the page cache. What lies below the
log's start may be gone if somebody asked for that, or if it was old enough. Of a batch that has rotted there is no other copy on one node; what lies
around it counts."""
from .history import place

SLACK_US = 1_000_000


def check(history):
    found = []
    # Where the log began when it was read: retention may have gone on since its bounds were asked for.
    begins = {event['tp']: (event['start'], event['t']) for event in history.of('final')}
    complete = {event['tp'] for event in history.of('final_read')}
    read = {}
    first_polls = set()
    for event in history.polls_by('final'):
        if event['r'] and event['tp'] not in first_polls:
            first_polls.add(event['tp'])
            begins[event['tp']] = max(begins[event['tp']], (event['r'][0][0], event['t']))
        for offset, value, _ in event['r']:
            read.setdefault((event['tp'], value), set()).add(offset)
    sent = {event['v']: event['t'] for event in history.of('send')}
    power = history.last('power')
    for ack in history.of('ack'):
        tp, acks = ack['tp'], ack['acks']
        if acks == 0 or (acks == 1 and power is not None and power >= ack['t']):
            continue
        if tp not in complete:
            continue  # unseen is not lost; C13 says that the reading did not end
        offsets = read.get((tp, ack['v']), set())
        if ack['o'] in offsets or (offsets and ack['o'] < 0):
            continue
        if not offsets and history.rotted(tp, ack['o']):
            continue
        if 0 <= ack['o'] < begins[tp][0]:
            found += justify(history, ack, sent, begins[tp])
        elif not offsets:
            # Retention goes on while the rest is read: the log may begin behind a record by the time its turn has come.
            if not is_expired(history, ack, sent, passed_at(history, tp, ack['o'])):
                found.append(f"{ack['v']} was acknowledged at {place(tp)}@{ack['o']} and is not there")
        else:
            found.append(f"{ack['v']} was acknowledged at {place(tp)}@{ack['o']} and is at {sorted(offsets)}")
    return found


def justify(history, ack, sent, begins):
    start, asked_at = begins
    # What was asked for beyond the end is refused.
    asked = max((event['o'] for event in history.of('trim') if event['tp'] == ack['tp'] and event['o'] <= event['end']), default=0)
    if ack['o'] < asked:
        return []
    if is_expired(history, ack, sent, asked_at):
        return []
    return [f"{ack['v']} at {place(ack['tp'])}@{ack['o']} lies below the log's start {start}, which nothing explains"]


def is_expired(history, ack, sent, at):
    retention = history.topics().get(ack['tp'][0], {}).get('retention.ms')
    return retention is not None and at - sent[ack['v']] >= int(retention) * 1000 - SLACK_US


def passed_at(history, tp, offset):
    """When the last reading came to something behind an offset, or to its end. Never, when one poll has what lies before and behind it."""
    for event in history.polls_by('final'):
        if event['tp'] == tp and event['r'] and event['r'][-1][0] > offset:
            return event['t'] if event['r'][0][0] > offset else 0
    return next(event['t'] for event in history.of('final_read') if event['tp'] == tp)
