"""Rows of figures, a column for each broker; ratios pair by pair, their median and range; marks, and which of them are missed."""
import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Mark:
    """The median of Dohle's figures, or of their ratio to those of `against`, is at most `limit`."""
    limit: float
    against: str = 'Kafka'  # 'Kafka', 'floor', or '' for the figure itself

    def __str__(self):
        return f'≤ {self.limit:g}' + (f' of {"the floor" if self.against == "floor" else self.against}' if self.against else '')


def ratios_of(ours, theirs):
    return sorted(a / max(b, 1e-9) for a, b in zip(ours, theirs))


def in_words(ratios):
    return f'{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})'


class Table:
    def __init__(self, title, columns, judged, out):
        """`columns`: names of brokers, Dohle first. `judged`: whether marks are looked at. `out`: takes each line."""
        self.columns = columns
        self.judged = judged
        self.out = out
        self.missed = []
        self.rest = [name for name in columns[1:] if not name.startswith('Dohle')]
        heads = ['', *columns, *(f'of {name}: median (range)' for name in self.rest), 'mark']
        out(f'\n{title}:\n')
        out('| ' + ' | '.join(heads) + ' |')
        out('|' + '---|' * len(heads))

    def row(self, title, figures, digits=0, marks=(), notes=None):
        """`figures`: for each broker that has some a list, in the order of the pairs. `notes`: a few words beside some of them."""
        cells = []
        for name in self.columns:
            text = f'{statistics.median(figures[name]):.{digits}f}' if figures.get(name) else ''
            cells.append(text + (f' {notes[name]}' if notes and name in notes and text else ''))
        for name in self.rest:
            cells.append(in_words(ratios_of(figures['Dohle'], figures[name])) if figures.get(name) else '')
        cells.append('; '.join(self.judge(title, figures, mark) for mark in marks))
        self.out('| ' + ' | '.join([title, *cells]) + ' |')

    def judge(self, title, figures, mark):
        if not self.judged:
            return str(mark)
        if mark.against and not figures.get(mark.against):
            return f'{mark} (not measured)'
        reached = statistics.median(ratios_of(figures['Dohle'], figures[mark.against]) if mark.against else figures['Dohle'])
        if reached <= mark.limit:
            return str(mark)
        self.missed.append(f'{title}: {reached:.3g}, wanted {mark}')
        return f'{mark}: MISSED'
