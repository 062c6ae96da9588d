"""C13: within a simulated minute of the last fault the node serves and every client has finished, and everything can be read."""


def check(history):
    found = []
    done = {event['w'] for event in history.of('done')}
    gone = {event['w'] for event in history.of('dies', 'leaves')}
    if history.of('stuck') or not history.of('finished'):
        started = {event['w'] for event in history.events if event['w'] not in ('world', 'final', 'runner') and not event['w'].startswith('node')}
        late = sorted(started - done - gone)
        found.append('a minute after the last fault not finished: ' + (', '.join(late) or 'the node'))
    if history.of('unread') or not history.of('read'):
        found.append('what is in the log could not be read in two minutes')
    return found
