"""C4: an offset has one value for ever, whoever reads it and whatever happened in between."""
from .history import place


def check(history):
    values = {}
    found = []
    for event in history.of('poll'):
        for offset, value, timestamp in event['r']:
            first = values.setdefault((event['tp'], offset), (value, timestamp, event['w']))
            if first[:2] != (value, timestamp):
                found.append(f"{place(event['tp'])}@{offset} was {first[0]} of {first[1]} to {first[2]} and {value} of {timestamp} to {event['w']}")
    for ack in history.of('ack'):
        first = values.get((ack['tp'], ack['o']))
        if ack['o'] >= 0 and first is not None and first[0] != ack['v'] and counts(history, ack):
            found.append(f"{place(ack['tp'])}@{ack['o']} was promised to {ack['v']} and holds {first[0]}")
    return found


def counts(history, ack):
    power = history.last('power')
    return ack['acks'] == -1 or (ack['acks'] == 1 and (power is None or power < ack['t']))
