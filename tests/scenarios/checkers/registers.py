"""C10: topics and configurations are linearizable, key by key.

Operations whose outcome nobody knows may take effect until LATE_US after they were given up, or never. The search keeps every state the
key may be in, with the operations that have taken effect before their answer (Wing and Gong's, as an automaton over the events)."""
LATE_US = 20_000_000
MANY = 20_000


class Offset:
    """What a group has committed for a partition: absent, or an offset with the time from which on it may go by itself. What is read goes with
    the time at which it was."""
    initial = ('absent', None)

    @staticmethod
    def step(state, operation, outcome, value):
        offset, goes_at = state
        what, time = value
        if operation == 'write' and outcome != 'refused':
            return [value]
        if operation == 'delete' and outcome != 'refused':
            return [('absent', None)]
        if operation != 'read' and what != 'GROUP_ID_NOT_FOUND':
            return [state]
        seen = what if operation == 'read' else 'absent'  # an unknown group has nothing
        if seen == offset:
            return [state]
        gone = seen == 'absent' and goes_at is not None and time >= goes_at
        return [('absent', None)] if gone else []


class Topic:
    """absent, or present with an id that is unknown until it is read. A new topic never has the id of the one before it."""
    initial = ('absent', None)

    @staticmethod
    def step(state, operation, outcome, value):
        """States after the operation, given what was answered; outcome None: nobody knows."""
        here, ident = state
        if operation == 'create':
            if here == 'absent' and outcome in ('ok', None):
                return [('present', ('not', ident))]
            return [state] if here == 'present' and (outcome is None or value == 'TOPIC_ALREADY_EXISTS') else []
        if operation == 'delete':
            if here == 'present' and outcome in ('ok', None):
                return [('absent', ident if isinstance(ident, str) else None)]
            return [state] if here == 'absent' and (outcome is None or value in ('UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID')) else []
        if value == 'absent':
            return [state] if here == 'absent' else []
        if here == 'absent':
            return []
        if isinstance(ident, str):
            return [state] if ident == value else []
        return [('present', value)] if ident[1] != value else []


class Value:
    """Whatever was written last; at first anything."""
    initial = None

    @staticmethod
    def step(state, operation, outcome, value):
        if operation == 'write':
            return [value] if outcome in ('ok', None) else [state]
        return [value] if state in (None, value) else []


MODELS = {'topic': Topic, 'config': Value, 'offset': Offset}


def check(history):
    return judge(history, 'topic', 'config')


def judge(history, *kinds):
    keys = {}
    for event in history.of('call', 'ret'):
        if event['e'] == 'call' and event['k'].split('/')[0] in kinds:
            keys.setdefault(event['k'], []).append({'call': event, 'ret': None})
    answers = {(event['w'], event['id']): event for event in history.of('ret')}
    found = []
    for key, operations in sorted(keys.items()):
        for operation in operations:
            operation['ret'] = answers.get((operation['call']['w'], operation['call']['id']))
        wrong = linearize(operations, MODELS[key.split('/')[0]])
        if wrong is not None:
            call, ret = wrong['call'], wrong['ret']
            found.append(f"{key}: no order explains {call['w']}'s {call['op']} {call['x']} at {call['t']}: {ret['out']} {ret['x']} at {ret['t']}")
    return found


def points_of(operations):
    """Beginnings and ends in their order; the end of an operation that nobody heard of is late. Of those, a reading says nothing, and a
    writing whose value nobody read explains nothing."""
    points = []
    values = {operation['ret']['x'] for operation in operations if operation['call']['op'] == 'read' and operation['ret']}
    for operation in operations:
        call, ret = operation['call'], operation['ret']
        known = ret is not None and ret['out'] != 'unknown'
        if not known and (call['op'] == 'read' or (call['op'] == 'write' and call['x'] not in values)):
            continue
        operation['outcome'] = ret['out'] if known else None
        operation['value'] = call['x'] if call['op'] == 'write' else ret['x'] if known else ''
        if call['k'].startswith('offset/'):
            goes_at = call['t'] + 1000 * call['keeps'] if call.get('keeps', -1) >= 0 else None
            operation['value'] = (operation['value'], goes_at if call['op'] == 'write' else ret['t'] if known else None)
        points.append((call['t'], call['n'], 'begin', operation))
        end = (ret['t'], ret['n']) if known else ((ret or call)['t'] + LATE_US, call['n'])
        points.append((*end, 'end', operation))
    return sorted(points, key=lambda point: point[:2])


def linearize(operations, model):
    """None, or the operation whose answer cannot be. A configuration is a state, and the pending operations that took effect, a bit each."""
    configurations = {(model.initial, 0)}
    pending, fresh, free = {}, {}, []
    for _, _, what, operation in points_of(operations):
        number = operation['call']['n']
        if what == 'begin':
            bit = free.pop() if free else 1 << len(pending)
            pending[number] = fresh[number] = (bit, operation['call']['op'], operation['outcome'], operation['value'])
            continue
        configurations = expand(configurations, fresh.values(), pending.values(), model)
        if configurations is None:
            return None  # too many ways: nothing can be said
        fresh = {}
        bit = pending.pop(number)[0]
        if operation['outcome'] is None:
            configurations = {(state, done & ~bit) for state, done in configurations}
        else:
            configurations = {(state, done & ~bit) for state, done in configurations if done & bit}
            if not configurations:
                return operation
        free.append(bit)
    return None


def expand(configurations, fresh, pending, model):
    """Every way in which pending operations may have taken effect; None when there are too many. Those that are not fresh have been tried on
    all configurations that come in."""
    reached = set(configurations)
    todo = [(configuration, fresh) for configuration in configurations]
    while todo:
        if len(reached) > MANY:
            return None
        (state, done), untried = todo.pop()
        for bit, operation, outcome, value in untried:
            if done & bit:
                continue
            for after in model.step(state, operation, outcome, value):
                configuration = (after, done | bit)
                unheard = outcome is None and after == state  # never mind whether it did: it still may, from the state that is here already
                if not unheard and configuration not in reached:
                    reached.add(configuration)
                    todo.append((configuration, pending))
    return reached
