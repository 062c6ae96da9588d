"""C6: the high watermark never moves back as clients see it, nothing above it is deleted by request, and ListOffsets by timestamp agrees
with the content."""
import collections

from .history import place


def check(history):
    return watermarks(history) + times(history) + deletions(history)


def deletions(history):
    """What was granted lies below where the log ended in the end."""
    ends = {event['tp']: event['end'] for event in history.of('final')}
    return [f"{place(event['tp'])} was trimmed to {event['o']} at {event['t']}, and its end is {ends[event['tp']]}"
            for event in history.of('trimmed') if event['o'] > ends.get(event['tp'], event['o'])]


def watermarks(history):
    found = []
    answers = sorted(((event['asked'], event['o'], event['tp']) for event in history.of('end')), key=lambda a: a[0])
    known = collections.defaultdict(list)  # what was seen below the watermark, by time
    for event in history.of('end', 'poll', 'final'):
        if event['e'] == 'end':
            known[event['tp']].append((event['t'], event['o']))
        elif event['e'] == 'final':
            answers.append((event['t'], event['end'], event['tp']))
        elif event['r']:
            known[event['tp']].append((event['t'], event['r'][-1][0] + 1))
    for tp, seen in known.items():
        seen.sort()
        highest, at = 0, 0
        for asked, offset, _ in sorted(answer for answer in answers if answer[2] == tp):
            while at < len(seen) and seen[at][0] < asked:
                highest = max(highest, seen[at][1])
                at += 1
            if offset < highest:
                found.append(f'{place(tp)} ended at {highest} and, asked later at {asked}, at {offset}')
    return found


def times(history):
    trimmed = history.trims()
    content = collections.defaultdict(dict)
    visible = {}
    for event in history.of('poll'):
        for offset, _, timestamp in event['r']:
            content[event['tp']][offset] = timestamp
            visible.setdefault((event['tp'], offset), event['t'])
    found = []
    for event in history.of('at_time'):
        tp, wanted, offset = event['tp'], event['ts'], event['o']
        if tp[0] in trimmed:
            continue
        known = content[tp]
        if offset >= 0 and offset in known and known[offset] < wanted:
            found.append(f'{place(tp)} at time {wanted} was said to be @{offset}, whose time is {known[offset]}')
        earlier = [o for o, ts in known.items() if ts >= wanted and (offset < 0 or o < offset) and visible[tp, o] < event['asked']]
        if earlier:
            found.append(f'{place(tp)} at time {wanted} was said to be @{offset}, but @{min(earlier)} is not older')
    return found
