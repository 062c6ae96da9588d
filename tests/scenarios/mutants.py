"""Plants one bug after the other and looks for a seed that catches it: make mutants [MUTANT=x] [TRIES=n].

A mutant is caught when one of its checkers reports it, and the same seed is green without it. The last line counts them.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.scenarios import simulate  # noqa: E402

BY_ITSELF = re.compile(r'C15: (crashed: |log: (invariant broken|runtime error:|ERROR: AddressSanitizer))')


def planted():
    for line in (HERE / 'mutants.list').read_text().splitlines():
        words = line.split('#')[0].split()
        if words:
            yield words[0], set(words[1].split(',')), words[2].split(',')


def reported(outcome, checkers):
    """What a checker says counts, but nothing of a history that a check of the node's own cut short."""
    if any(BY_ITSELF.match(violation) for violation in outcome.violations):
        return []
    return sorted({violation.split(':')[0] for violation in outcome.violations} & checkers)


def attempt(program, scenario, seed, mutant, checkers):
    """The checkers that report the bug, if they say nothing without it."""
    names = reported(simulate.judge(program, scenario, seed, mutant=mutant), checkers)
    if names and reported(simulate.judge(program, scenario, seed), checkers):
        return []
    return names


def hunt(pool, program, mutant, checkers, scenarios, tries):
    """Seeds in their order, a few at a time, so that what catches it is the same on every machine."""
    jobs = [(scenarios[i % len(scenarios)], 1 + i // len(scenarios)) for i in range(tries)]
    chunk = 2 * (os.cpu_count() or 1)
    for begin in range(0, len(jobs), chunk):
        futures = [pool.submit(attempt, program, scenario, seed, mutant, checkers) for scenario, seed in jobs[begin:begin + chunk]]
        for (scenario, seed), future in zip(jobs[begin:begin + chunk], futures):
            if future.result():
                return scenario.name, seed, future.result()
    return None


def misplaced(program, product, mutants):
    """Every bug is in the program that is to have them, and none in what people run."""
    there, clean = pathlib.Path(program).read_bytes(), pathlib.Path(product).read_bytes()
    for mutant in mutants:
        if mutant.encode() not in there:
            yield f'{mutant} is not in {program}: CMake has not looked for it yet, or no file has it'
        if mutant.encode() in clean:
            yield f'{mutant} is in {product}'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--program', default=str(HERE.parents[1] / 'build/release/dohle_sim_planted'))
    parser.add_argument('--product', default=str(HERE.parents[1] / 'build/release/dohle'))
    parser.add_argument('--mutant', action='append')
    parser.add_argument('--tries', type=int, default=500)
    options = parser.parse_args()
    faults = list(misplaced(options.program, options.product, [mutant for mutant, _, _ in planted()]))
    if faults:
        print('\n'.join(faults))
        return 1
    wanted = [entry for entry in planted() if not options.mutant or entry[0] in options.mutant]
    caught = 0
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for mutant, checkers, names in wanted:
            scenarios = [simulate.load(HERE / f'{name}.txt') for name in names]
            hit = hunt(pool, options.program, mutant, checkers, scenarios, options.tries)
            caught += hit is not None
            print(f'{mutant:45} ' + (f'caught by {", ".join(hit[2])} in {hit[0]}, seed {hit[1]}' if hit else 'NOT CAUGHT'), flush=True)
    print(f'{caught} passed, {len(wanted) - caught} failed, 0 skipped')
    print(f'{len(wanted)} planted, {caught} caught')
    return 0 if caught == len(wanted) else 1


if __name__ == '__main__':
    sys.exit(main())
