"""The checkers of the scenarios: each module has check(history) -> sentences, one a violation."""
from . import acknowledged, bounds, exactly_once, groups, liveness, one_value, order, plateau, quiet, registers

CHECKERS = {
    'C1': acknowledged,
    'C3': exactly_once,
    'C4': one_value,
    'C5': order,
    'C6': bounds,
    'C9': groups,
    'C10': registers,
    'C13': liveness,
    'C14': plateau,
    'C15': quiet,
}
