"""C15: no crash, no broken invariant, no sanitizer's report, no ERROR in the log, no start that fails. A scenario may allow what its
faults must bring about; it says so by regular expressions."""
import re


def check(history):
    allowed = [re.compile(event['pattern']) for event in history.of('allow')]
    found = []
    for event in history.of('crashed', 'log', 'fatal', 'start_failed', 'misconfigured', 'unformatted', 'unknown_fault', 'unknown_client'):
        text = f"{event['e']}: {event.get('why', event.get('line', ''))}"
        if not any(pattern.search(text) for pattern in allowed):
            found.append(text)
    return found
