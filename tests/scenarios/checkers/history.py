"""A history, indexed for the checkers. They know nothing of what made it: see README.md for its events."""
import collections
import json


class History:
    def __init__(self, lines):
        self.events = json.loads(f"[{','.join(line for line in lines if line.strip())}]")  # several times as fast as line by line
        self.by_kind = collections.defaultdict(list)
        for number, event in enumerate(self.events):
            event['n'] = number
            if 'tp' in event:
                event['tp'] = tuple(event['tp'])
            self.by_kind[event['e']].append(event)

    def of(self, *kinds):
        """Events of these kinds, in their order."""
        if len(kinds) == 1:
            return self.by_kind[kinds[0]]
        return sorted((event for kind in kinds for event in self.by_kind[kind]), key=lambda event: event['n'])

    def polls_by(self, who=None):
        return [event for event in self.by_kind['poll'] if who is None or event['w'] == who]

    def topics(self):
        return {event['name']: event.get('config', {}) for event in self.by_kind['topic']}

    def trims(self):
        """Whether records may be gone from the beginning of a topic's partitions."""
        trimmed = {event['tp'][0] for event in self.by_kind['trim']}
        for name, config in self.topics().items():
            if 'retention.ms' in config or 'retention.bytes' in config:
                trimmed.add(name)
        return trimmed

    def rotted(self, tp, first, last=None):
        """Whether offsets of a partition, or those between two, lay in batches that have rotted."""
        ranges = [(event['first'], event['last']) for event in self.by_kind['rot'] if event.get('tp') == tp]
        return all(any(low <= offset <= high for low, high in ranges) for offset in range(first, (first if last is None else last) + 1))

    def last(self, kind):
        return self.by_kind[kind][-1]['t'] if self.by_kind[kind] else None


def place(tp):
    return f'{tp[0]}-{tp[1]}'
