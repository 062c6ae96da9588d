"""C13: within a simulated minute of the last fault the node serves and every client has finished, and everything can be read. When one of
several log directories fails, what lies in the others goes on."""

SETTLED_US = 1_000_000  # from when on a failure has been noticed
TELLING_US = 3_000_000  # so long must a time be to say something


def check(history):
    found = stalls(history)
    done = {event['w'] for event in history.of('done')}
    gone = {event['w'] for event in history.of('dies')}
    if history.of('stuck') or not history.of('finished'):
        started = {event['w'] for event in history.events if event['w'] not in ('world', 'final', 'runner') and not event['w'].startswith('node')}
        late = sorted(started - done - gone)
        found.append('a minute after the last fault not finished: ' + (', '.join(late) or 'the node'))
    if history.of('unread') or not history.of('read'):
        found.append('what is in the log could not be read in two minutes')
    return found


def stalls(history):
    """Times after a directory failed in which fewer than half of the producers, each with a topic of its own, had anything acknowledged."""
    boots = history.of('boot')
    if not boots or boots[0].get('dirs', 1) == 1:
        return []
    producers = {event['w'] for event in history.of('producer')}
    acks = history.of('ack')
    ends = [event['t'] for event in history.of('kill', 'power', 'stop', 'fatal', 'healed')]
    found = []
    for failure in history.of('eio'):
        begin = failure['t'] + SETTLED_US
        end = min((t for t in ends if t > failure['t']), default=begin)
        if end - begin < TELLING_US:
            continue
        served = {ack['w'] for ack in acks if begin <= ack['t'] <= end}
        if 2 * len(served) < len(producers):
            found.append(f"after {failure['path']} failed at {failure['t']}, {len(served)} of {len(producers)} producers went on")
    return found
