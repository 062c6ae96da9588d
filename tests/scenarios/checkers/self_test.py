"""Each checker against histories written by hand: those it must let pass, and those it must not."""
import json
import unittest

from . import CHECKERS
from .history import History

T = ['t', 0]


def event(time, who, kind, **fields):
    return json.dumps({'t': time, 'w': who, 'e': kind, **fields})


def found(name, *lines):
    return CHECKERS[name].check(History(lines))


def ack(value, offset, time=10, acks=-1, who='p1'):
    return event(time, who, 'ack', tp=T, v=value, acks=acks, o=offset)


def poll(who, *records, time=20):
    return event(time, who, 'poll', tp=T, r=[list(record) for record in records])


def final(*records, start=0, time=100):
    end = records[-1][0] + 1 if records else start
    return [event(time, 'final', 'final', tp=T, start=start, end=end), *([poll('final', *records, time=time)] if records else []),
            event(time, 'final', 'final_read', tp=T)]


class Acknowledged(unittest.TestCase):
    def test_what_is_there_passes(self):
        self.assertFalse(found('C1', ack('p1-1', 0), ack('p1-2', 1), *final((0, 'p1-1', 5), (1, 'p1-2', 6))))
        self.assertFalse(found('C1', ack('p1-1', -1), *final((3, 'p1-1', 5))))

    def test_what_is_lost_or_elsewhere_does_not(self):
        self.assertTrue(found('C1', ack('p1-1', 0), ack('p1-2', 1), *final((0, 'p1-1', 5))))
        self.assertTrue(found('C1', ack('p1-1', 0), *final((1, 'p1-1', 5))))
        self.assertTrue(found('C1', ack('p1-1', 0), *final()))

    def test_acks_1_counts_unless_the_power_failed_later(self):
        lost = [ack('p1-1', 0, acks=1), *final()]
        self.assertTrue(found('C1', *lost))
        self.assertTrue(found('C1', event(20, 'node1', 'kill'), *lost))
        self.assertTrue(found('C1', event(5, 'node1', 'power', loss=1), *lost))
        self.assertFalse(found('C1', event(20, 'node1', 'power', loss=1), *lost))
        self.assertTrue(found('C1', event(20, 'node1', 'power', loss=1), ack('p1-1', 0), *final()))

    def test_what_rotted_is_gone_and_nothing_around_it(self):
        rot = event(15, 'world', 'rot', file='x', tp=T, first=1, last=2)
        self.assertFalse(found('C1', rot, ack('p1-1', 1), ack('p1-2', 2), *final((0, 'a', 5))))
        self.assertTrue(found('C1', rot, ack('p1-3', 3), *final((0, 'a', 5))))
        self.assertTrue(found('C1', rot, ack('p1-1', 1), *final((0, 'p1-1', 5))))

    def test_the_logs_start_must_be_explained(self):
        gone = [event(9, 'p1', 'send', tp=T, v='p1-1', acks=-1), ack('p1-1', 0), *final((5, 'p1-9', 5), start=5, time=9_000_000)]
        self.assertTrue(found('C1', *gone))
        self.assertFalse(found('C1', event(30, 'x', 'trim', tp=T, o=3, end=5), *gone))
        self.assertTrue(found('C1', event(30, 'x', 'trim', tp=T, o=9, end=5), *gone))
        self.assertFalse(found('C1', event(0, 's', 'topic', name='t', config={'retention.ms': '2000'}), *gone))
        self.assertTrue(found('C1', event(0, 's', 'topic', name='t', config={'retention.ms': '60000'}), *gone))

    def test_retention_may_go_on_while_the_log_is_read(self):
        gone = [event(9, 'p1', 'send', tp=T, v='p1-1', acks=-1), ack('p1-1', 0), *final((5, 'p1-9', 5), time=9_000_000)]
        self.assertTrue(found('C1', *gone))
        self.assertFalse(found('C1', event(0, 's', 'topic', name='t', config={'retention.ms': '2000'}), *gone))

    def test_retention_may_pass_the_reader(self):
        sent = [event(9, 'p1', 'send', tp=T, v=f'p1-{n}', acks=-1) for n in range(4)]
        acked = [ack(f'p1-{n}', n) for n in range(4)]
        expires = event(0, 's', 'topic', name='t', config={'retention.ms': '4000'})
        first, *rest = final((0, 'p1-0', 5), time=1_000_000)
        later = poll('final', (3, 'p1-3', 5), time=5_000_000)
        self.assertTrue(found('C1', *sent, *acked, first, *rest[:-1], later, rest[-1]))
        self.assertFalse(found('C1', expires, *sent, *acked, first, *rest[:-1], later, rest[-1]))
        early = poll('final', (3, 'p1-3', 5), time=1_500_000)
        self.assertTrue(found('C1', expires, *sent, *acked, first, *rest[:-1], early, rest[-1]))
        at_once = final((0, 'p1-0', 5), (3, 'p1-3', 5), time=5_000_000)
        self.assertTrue(found('C1', expires, *sent, *acked, *at_once))


class ExactlyOnce(unittest.TestCase):
    def test_two_offsets_are_one_too_many_with_idempotence(self):
        twice = [poll('r', (0, 'p1-1', 5), (1, 'p1-1', 5))]
        self.assertTrue(found('C3', event(0, 'p1', 'producer', acks=-1, idem=1), *twice))
        self.assertFalse(found('C3', event(0, 'p1', 'producer', acks=1, idem=0), *twice))
        self.assertFalse(found('C3', event(0, 'p1', 'producer', acks=-1, idem=1), poll('r', (0, 'p1-1', 5)), poll('q', (0, 'p1-1', 5))))


class OneValue(unittest.TestCase):
    def test_an_offset_does_not_change(self):
        self.assertFalse(found('C4', poll('r', (0, 'p1-1', 5)), poll('q', (0, 'p1-1', 5))))
        self.assertTrue(found('C4', poll('r', (0, 'p1-1', 5)), poll('q', (0, 'p2-1', 5))))
        self.assertTrue(found('C4', poll('r', (0, 'p1-1', 5)), poll('q', (0, 'p1-1', 6))))
        self.assertTrue(found('C4', poll('r', (0, 'p1-1', 5)), ack('p1-2', 0)))


class Order(unittest.TestCase):
    def test_consumers_go_on_without_a_gap(self):
        self.assertFalse(found('C5', poll('r', (0, 'a-1', 5), (1, 'a-2', 5)), poll('r', (2, 'a-3', 5))))
        self.assertTrue(found('C5', poll('r', (0, 'a-1', 5)), poll('r', (2, 'a-3', 5))))
        self.assertTrue(found('C5', poll('r', (0, 'a-1', 5), (1, 'a-2', 5)), poll('r', (1, 'a-2', 5))))

    def test_gaps_where_records_may_be_gone(self):
        trim = event(1, 'x', 'trim', tp=T, o=3, end=5)
        self.assertFalse(found('C5', trim, poll('r', (0, 'a-1', 5)), poll('r', (5, 'a-3', 5))))
        self.assertTrue(found('C5', trim, poll('r', (5, 'a-3', 5)), poll('r', (0, 'a-1', 5))))
        self.assertFalse(found('C5', trim, poll('r', (5, 'a-3', 5)), event(6, 'node1', 'kill'), poll('r', (0, 'a-1', 5))))

    def test_gaps_where_batches_rotted(self):
        rot = event(1, 'world', 'rot', file='x', tp=T, first=1, last=2)
        self.assertFalse(found('C5', rot, poll('r', (0, 'a-1', 5)), poll('r', (3, 'a-3', 5))))
        self.assertTrue(found('C5', rot, poll('r', (0, 'a-1', 5)), poll('r', (4, 'a-3', 5))))
        self.assertTrue(found('C5', rot, poll('r', (1, 'a-1', 5)), poll('r', (0, 'a-3', 5))))

    def test_members_begin_anew(self):
        given = event(3, 'm', 'assigned', g='g', m='x', gen=2, p=[T])
        self.assertFalse(found('C5', poll('m', (0, 'a-1', 5)), given, poll('m', (0, 'a-1', 5))))

    def test_producers_offsets_ascend(self):
        idempotent = event(0, 'p1', 'producer', acks=-1, idem=1)
        self.assertFalse(found('C5', idempotent, ack('p1-2', 1), ack('p1-1', 0)))
        self.assertTrue(found('C5', idempotent, ack('p1-1', 1), ack('p1-2', 0)))


class Bounds(unittest.TestCase):
    @staticmethod
    def end(time, asked, offset):
        return event(time, 'r', 'end', tp=T, asked=asked, o=offset)

    def test_the_watermark_does_not_go_back(self):
        self.assertFalse(found('C6', self.end(10, 9, 5), self.end(20, 15, 5)))
        self.assertFalse(found('C6', self.end(10, 9, 5), self.end(20, 8, 4)))
        self.assertTrue(found('C6', self.end(10, 9, 5), self.end(20, 15, 4)))
        self.assertTrue(found('C6', poll('r', (7, 'a-1', 5), time=10), self.end(20, 15, 4)))
        self.assertTrue(found('C6', self.end(10, 9, 5), *final((0, 'a-1', 5))))

    def test_what_is_not_there_cannot_be_deleted(self):
        content = final((0, 'a-1', 5), (1, 'a-2', 6))
        self.assertFalse(found('C6', event(3, 'x', 'trimmed', tp=T, o=2, low=2), *content))
        self.assertTrue(found('C6', event(3, 'x', 'trimmed', tp=T, o=3, low=2), *content))

    def test_offsets_by_time_agree_with_content(self):
        content = poll('r', (0, 'a-1', 100), (1, 'a-2', 200), time=10)
        asked = {'tp': T, 'asked': 20}
        self.assertFalse(found('C6', content, event(21, 'r', 'at_time', ts=150, o=1, ots=200, **asked)))
        self.assertTrue(found('C6', content, event(21, 'r', 'at_time', ts=150, o=0, ots=100, **asked)))
        self.assertTrue(found('C6', content, event(21, 'r', 'at_time', ts=50, o=1, ots=200, **asked)))
        self.assertTrue(found('C6', content, event(21, 'r', 'at_time', ts=150, o=-1, ots=-1, **asked)))


class Groups(unittest.TestCase):
    @staticmethod
    def assigned(who, generation, time=1):
        return event(time, who, 'assigned', g='g', m='id-' + who, gen=generation, p=[T])

    @staticmethod
    def commits(who, number, generation, offset, after=None):
        fields = {'g': 'g', 'm': 'id-' + who, 'gen': generation, 'id': number, 'o': [['t', 0, offset]]}
        return [event(5, who, 'commit', **fields), event(6, who, 'committed', gen_after=generation if after is None else after, **fields)]

    def test_one_owner_in_a_generation(self):
        self.assertFalse(found('C9', self.assigned('a', 1), self.assigned('b', 2)))
        self.assertTrue(found('C9', self.assigned('a', 1), self.assigned('b', 1)))

    def test_old_generations_commit_nothing(self):
        self.assertFalse(found('C9', self.assigned('a', 1), *self.commits('a', 1, 1, 5)))
        self.assertTrue(found('C9', self.assigned('a', 1), self.assigned('b', 2), *self.commits('a', 1, 1, 5)))
        self.assertFalse(found('C9', self.assigned('a', 1), self.assigned('b', 2), *self.commits('a', 1, 1, 5, after=3)))

    def test_commits_do_not_go_back(self):
        self.assertFalse(found('C9', *self.commits('a', 1, 1, 5), *self.commits('b', 1, 1, 5)))
        self.assertTrue(found('C9', *self.commits('a', 1, 1, 5), *self.commits('b', 1, 1, 4)))

    def test_a_commit_that_was_sent_twice_may_come_late(self):
        slow = {'g': 'g', 'm': 'id-a', 'gen': 1, 'id': 1, 'o': [['t', 0, 4]]}
        answered = [event(5, 'a', 'commit', **slow), event(5_000_000, 'a', 'committed', gen_after=1, **slow)]
        left = event(9_000_000, 'final', 'left_committed', g='g', o=[['t', 0, 4]])
        self.assertFalse(found('C9', *answered, *self.commits('a', 2, 1, 5), left))
        self.assertTrue(found('C9', *self.commits('a', 1, 1, 4), *self.commits('a', 2, 1, 5), left))

    def test_commits_are_there_in_the_end(self):
        left = lambda *offsets: event(9, 'final', 'left_committed', g='g', o=list(offsets))  # noqa: E731
        self.assertFalse(found('C9', *self.commits('a', 1, 1, 5), left(['t', 0, 5])))
        self.assertTrue(found('C9', *self.commits('a', 1, 1, 5), left(['t', 0, 4])))
        self.assertTrue(found('C9', *self.commits('a', 1, 1, 5), left()))

    def test_what_is_committed_was_given_to_somebody(self):
        content = poll('final', (0, 'p-1', 5), (1, 'p-2', 5))
        committed = [self.assigned('a', 1), *self.commits('a', 1, 1, 2)]
        self.assertFalse(found('C9', *committed, poll('a', (0, 'p-1', 5), (1, 'p-2', 5)), content))
        self.assertTrue(found('C9', *committed, poll('a', (1, 'p-2', 5)), content))

    @staticmethod
    def offset(number, begin, what, outcome='ok', value='', **more):
        return [event(begin, 'c', 'call', id=number, k='offset/g/t-0', op=what, **{'x': '', **more}),
                event(begin + 1, 'c', 'ret', id=number, out=outcome, x=value)]

    def test_what_was_deleted_stays_away(self):
        deleted = [*self.offset(1, 1, 'write', x='5'), *self.offset(2, 3, 'read', value='5'), *self.offset(3, 5, 'delete')]
        self.assertFalse(found('C9', *deleted, *self.offset(4, 7, 'read', value='absent')))
        self.assertTrue(found('C9', *deleted, *self.offset(4, 7, 'read', value='absent'), *self.offset(5, 9, 'read', value='5')))
        self.assertFalse(found('C9', *deleted, *self.offset(4, 7, 'write', x='6'), *self.offset(5, 9, 'read', value='6')))
        self.assertFalse(found('C10', *deleted, *self.offset(4, 7, 'read', value='5')))

    def test_what_is_there_does_not_go_by_itself_before_its_time(self):
        for_good = self.offset(1, 1, 'write', x='5')
        for_a_while = self.offset(1, 1, 'write', x='5', keeps=1)
        unknown_group = {'outcome': 'refused', 'value': 'GROUP_ID_NOT_FOUND'}
        self.assertTrue(found('C9', *for_good, *self.offset(2, 3000, 'read', value='absent')))
        self.assertTrue(found('C9', *for_good, *self.offset(2, 3000, 'delete', **unknown_group)))
        self.assertTrue(found('C9', *for_a_while, *self.offset(2, 3, 'read', value='absent')))
        self.assertFalse(found('C9', *for_a_while, *self.offset(2, 3000, 'read', value='absent')))
        self.assertFalse(found('C9', *for_a_while, *self.offset(2, 3000, 'delete', **unknown_group)))
        self.assertFalse(found('C9', *for_a_while, *self.offset(2, 3000, 'read', value='5')))
        self.assertTrue(found('C9', *for_a_while, *self.offset(2, 3000, 'read', value='absent'), *self.offset(3, 4000, 'read', value='5')))


class Registers(unittest.TestCase):
    def setUp(self):
        self.ids = 0

    def operation(self, begin, end, what, outcome='ok', value='', wrote='', key='topic/x'):
        self.ids += 1
        lines = [event(begin, 'c%d' % self.ids, 'call', id=1, k=key, op=what, x=wrote)]
        if end is not None:
            lines.append(event(end, 'c%d' % self.ids, 'ret', id=1, out=outcome, x=value))
        return lines

    def judge(self, *operations):
        lines = sorted((line for operation in operations for line in operation), key=lambda line: json.loads(line)['t'])
        return found('C10', *lines)

    def test_topics(self):
        self.assertFalse(self.judge(self.operation(1, 2, 'create'), self.operation(3, 4, 'read', value='id1'), self.operation(5, 6, 'delete'),
                                    self.operation(7, 8, 'read', value='absent')))
        self.assertTrue(self.judge(self.operation(1, 2, 'create'), self.operation(3, 4, 'read', value='absent')))
        self.assertTrue(self.judge(self.operation(1, 2, 'create'), self.operation(3, 4, 'create')))
        self.assertTrue(self.judge(self.operation(1, 2, 'create'), self.operation(3, 4, 'delete'), self.operation(5, 6, 'read', value='id1')))
        self.assertFalse(self.judge(self.operation(1, 9, 'create'), self.operation(3, 4, 'read', value='absent')))

    def test_a_topic_made_again_has_another_id(self):
        life = [self.operation(1, 2, 'create'), self.operation(3, 4, 'read', value='id1'), self.operation(5, 6, 'delete'), self.operation(7, 8, 'create')]
        self.assertFalse(self.judge(*life, self.operation(9, 10, 'read', value='id2')))
        self.assertTrue(self.judge(*life, self.operation(9, 10, 'read', value='id1')))

    def test_unknown_outcomes_may_be_either(self):
        for seen in ('absent', 'id1'):
            self.assertFalse(self.judge(self.operation(1, None, 'create'), self.operation(3, 4, 'read', value=seen)))
        self.assertTrue(self.judge(self.operation(1, None, 'create'), self.operation(3, 4, 'read', value='id1'),
                                   self.operation(5, 6, 'read', value='absent')))
        self.assertTrue(self.judge(self.operation(1, 2, 'create', 'unknown'), self.operation(60_000_000, 60_000_001, 'read', value='absent'),
                                   self.operation(61_000_000, 61_000_001, 'read', value='id1')))

    def test_configurations(self):
        write = lambda begin, end, value, **more: self.operation(begin, end, 'write', wrote=value, key='config/t', **more)  # noqa: E731
        read = lambda begin, end, value: self.operation(begin, end, 'read', value=value, key='config/t')  # noqa: E731
        self.assertFalse(self.judge(write(1, 2, 'a'), read(3, 4, 'a'), write(5, 8, 'b'), read(6, 7, 'a'), read(9, 10, 'b')))
        self.assertTrue(self.judge(write(1, 2, 'a'), write(3, 4, 'b'), read(5, 6, 'a')))
        self.assertFalse(self.judge(write(1, 2, 'a'), write(3, 4, 'b', outcome='unknown'), read(5, 6, 'a'), read(7, 8, 'b')))
        self.assertTrue(self.judge(write(1, 2, 'a'), write(3, 4, 'b', outcome='unknown'), read(5, 6, 'b'), read(7, 8, 'a')))


class Liveness(unittest.TestCase):
    def test_everybody_finishes(self):
        self.assertFalse(found('C13', event(1, 'world', 'finished'), event(2, 'world', 'read')))
        self.assertTrue(found('C13', event(1, 'world', 'stuck'), event(2, 'world', 'read')))
        self.assertTrue(found('C13', event(1, 'world', 'finished'), event(2, 'world', 'unread')))
        self.assertTrue(found('C13'))

    def test_other_directories_go_on(self):
        end = [event(9_000_000, 'node1', 'stop'), event(9_000_001, 'world', 'finished'), event(9_000_002, 'world', 'read')]
        begin = [event(0, 'node1', 'boot', dirs=2), *[event(1, who, 'producer', acks=-1, idem=1) for who in ('p1', 'p2', 'p3')],
                 event(2, 'world', 'eio', what='sync', path='data1')]
        late = [ack('p1-1', 0, time=3_000_000), ack('p2-1', 0, time=3_000_000, who='p2')]
        self.assertFalse(found('C13', *begin, *late, *end))
        self.assertTrue(found('C13', *begin, late[0], *end))
        self.assertFalse(found('C13', event(0, 'node1', 'boot', dirs=1), *begin[1:], *end))


class Plateau(unittest.TestCase):
    def test_what_was_taken_is_given_back(self):
        before = event(1, 'world', 'resources', bytes=10, files=5, connections=0, timers=9)
        self.assertFalse(found('C14', before, event(2, 'world', 'resources', bytes=1000, files=9, connections=0, timers=12)))
        for leak in ({'connections': 50}, {'files': 5000}, {'timers': 5000}, {'bytes': 1 << 30}):
            after = {'bytes': 10, 'files': 5, 'connections': 0, 'timers': 9, **leak}
            self.assertTrue(found('C14', before, event(2, 'world', 'resources', **after)))
        self.assertTrue(found('C14', before))

    def test_a_process_that_stops_leaves_no_timers(self):
        at_rest = [event(n, 'world', 'resources', bytes=10, files=5, connections=0, timers=9) for n in (1, 5)]
        self.assertFalse(found('C14', *at_rest, event(3, 'node1', 'ended', why='stopped', timers=0)))
        self.assertFalse(found('C14', *at_rest, event(3, 'node1', 'ended', why='start failed', timers=2)))
        self.assertTrue(found('C14', *at_rest, event(3, 'node1', 'ended', why='stopped', timers=2)))

    def test_buffers_go_back_to_their_shard(self):
        at_rest = [event(n, 'world', 'resources', bytes=10, files=5, connections=0, timers=9) for n in (1, 5)]
        self.assertFalse(found('C14', *at_rest))
        self.assertTrue(found('C14', *at_rest, event(3, 'world', 'breach', rule='base.buffer_dropped_elsewhere')))


class Quiet(unittest.TestCase):
    def test_crashes_and_errors_count_unless_allowed(self):
        for line in (event(1, 'r', 'crashed', why='exit code -6'), event(1, 'r', 'log', line='error storage: x'), event(1, 'node1', 'fatal', why='x')):
            self.assertTrue(found('C15', line))
        self.assertFalse(found('C15', event(0, 'r', 'allow', pattern='fatal: '), event(1, 'node1', 'fatal', why='x')))
        self.assertTrue(found('C15', event(0, 'r', 'allow', pattern='fatal: '), event(1, 'node1', 'start_failed', why='x')))


if __name__ == '__main__':
    unittest.main()
