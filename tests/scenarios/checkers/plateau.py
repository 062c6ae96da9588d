"""C14: when everybody has gone, buffers, files, connections and timers are back where they were before anybody came; and what belongs to
a shard was given back there."""
# What may be there afterwards and was not before: segments that were rolled, the tail cache.
ALLOWED = {'bytes': 32 << 20, 'files': 600, 'connections': 2, 'timers': 50}


def check(history):
    found = [f"{event['rule']} at {event['t']}" for event in history.of('breach')]
    found += [f"a process that was stopped at {event['t']} left {event['timers']} timers"
              for event in history.of('ended') if event['why'] == 'stopped' and event['timers'] > 0]
    events = history.of('resources')
    if len(events) < 2:
        return [*found, 'it was not measured']
    before, after = events[0], events[-1]
    return found + [f'{after[what]} {what} are left, {before[what]} were there before'
            for what, more in ALLOWED.items() if after[what] > before[what] + more]
