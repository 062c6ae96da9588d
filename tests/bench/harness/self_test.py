"""A table must notice what was missed: python3 -m unittest tests.bench.harness.self_test"""
import unittest

from .table import Mark, Table

OURS = [4.0, 1.0, 2.0]
THEIRS = [4.0, 4.0, 4.0]


class Tables(unittest.TestCase):
    def setUp(self):
        self.lines = []

    def table(self, judged=True, columns=('Dohle', 'Kafka')):
        return Table('Loads', list(columns), judged, self.lines.append)

    def test_ratios_are_taken_pair_by_pair(self):
        self.table().row('load', {'Dohle': OURS, 'Kafka': THEIRS})
        self.assertEqual(self.lines[-1], '| load | 2 | 4 | 0.50 (0.25-1.00) |  |')

    def test_a_mark_that_is_reached(self):
        table = self.table()
        table.row('load', {'Dohle': OURS, 'Kafka': THEIRS}, marks=[Mark(0.5), Mark(2, '')])
        self.assertIn('≤ 0.5 of Kafka; ≤ 2 |', self.lines[-1])
        self.assertEqual(table.missed, [])

    def test_a_mark_that_is_missed(self):
        table = self.table()
        table.row('load', {'Dohle': OURS, 'Kafka': THEIRS}, marks=[Mark(0.49), Mark(1.9, '')])
        self.assertEqual(table.missed, ['load: 0.5, wanted ≤ 0.49 of Kafka', 'load: 2, wanted ≤ 1.9'])
        self.assertEqual(self.lines[-1].count('MISSED'), 2)

    def test_what_never_ended_misses_its_mark(self):
        table = self.table(columns=['Dohle'])
        table.row('start', {'Dohle': [float('inf')]}, marks=[Mark(5, '')])
        self.assertEqual(len(table.missed), 1)

    def test_the_median_decides_and_not_the_best(self):
        table = self.table()
        table.row('load', {'Dohle': [1.0, 9.0, 9.0], 'Kafka': [2.0, 2.0, 2.0]}, marks=[Mark(1)])
        self.assertEqual(len(table.missed), 1)

    def test_small_forms_judge_nothing(self):
        table = self.table(judged=False)
        table.row('load', {'Dohle': OURS, 'Kafka': THEIRS}, marks=[Mark(0.1)])
        self.assertEqual(table.missed, [])

    def test_without_kafka_its_marks_are_not_judged_and_the_others_are(self):
        table = self.table(columns=['Dohle', 'floor'])
        table.row('load', {'Dohle': OURS, 'floor': THEIRS}, marks=[Mark(0.1), Mark(0.1, 'floor')])
        self.assertEqual(table.missed, ['load: 0.5, wanted ≤ 0.1 of the floor'])
        self.assertIn('≤ 0.1 of Kafka (not measured)', self.lines[-1])


if __name__ == '__main__':
    unittest.main()
