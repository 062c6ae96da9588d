"""C14: when everybody has gone, buffers, files, connections and timers are back where they were before anybody came."""
# What may be there afterwards and was not before: segments that were rolled, the tail cache.
ALLOWED = {'bytes': 32 << 20, 'files': 600, 'connections': 2, 'timers': 150}


def check(history):
    events = history.of('resources')
    if len(events) < 2:
        return ['it was not measured']
    before, after = events[0], events[-1]
    return [f'{after[what]} {what} are left, {before[what]} were there before'
            for what, more in ALLOWED.items() if after[what] > before[what] + more]
