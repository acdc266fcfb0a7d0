# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.storage.samples.reach import Cell, reach

ALWAYS = (-100, 100)
BUCKET = 10

#: (series, instant); several at the same instant are several samples.
samples = st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)),
                   max_size=40)


def cells(made: list[tuple[int, int]]) -> list[Cell]:
    """The buckets of the samples, of ten microseconds each."""
    found = []
    for _, group in itertools.groupby(
            sorted(made), lambda one: (one[0], one[1] // BUCKET)):
        instants = [instant for _, instant in group]
        found.append(Cell(instants[0], instants[-1], len(instants)))
    return found


def test_the_newest_sample_is_where_the_newest_cell_ends() -> None:
    assert reach([Cell(0, 9, 7), Cell(10, 18, 2)], *ALWAYS, 1) == 18


def test_more_samples_of_a_cell_are_only_sure_from_its_beginning() -> None:
    assert reach([Cell(0, 9, 7)], *ALWAYS, 2) == 0


def test_cells_that_do_not_hold_so_many_warrant_nothing() -> None:
    assert reach([Cell(0, 9, 7)], *ALWAYS, 8) is None


def test_of_a_cell_that_is_cut_only_its_first_sample_is_sure() -> None:
    assert reach([Cell(0, 9, 7)], -100, 9, 1) == 0
    assert reach([Cell(0, 9, 7)], -100, 9, 2) is None


def test_a_cell_without_a_sure_sample_in_range_counts_for_nothing() -> None:
    assert reach([Cell(0, 9, 7)], 1, 9, 1) is None


@given(samples, st.integers(-60, 60), st.integers(-60, 60),
       st.integers(1, 30))
def test_so_many_samples_lie_within_reach(
        made: list[tuple[int, int]], lower: int, upper: int,
        wanted: int) -> None:
    since = reach(cells(made), lower, upper, wanted)
    if since is not None:
        assert sum(since <= instant < upper for _, instant in made) >= wanted
        assert since >= lower


@given(samples, st.integers(1, 30))
def test_where_there_are_enough_they_are_found(
        made: list[tuple[int, int]], wanted: int) -> None:
    since = reach(cells(made), *ALWAYS, wanted)
    assert (since is not None) == (len(made) >= wanted)


@given(samples, st.integers(1, 30))
def test_the_reach_is_no_bucket_too_far(
        made: list[tuple[int, int]], wanted: int) -> None:
    since = reach(cells(made), *ALWAYS, wanted)
    if since is not None:
        nearest = sorted(instant for _, instant in made)[-wanted]
        assert since <= nearest
        assert since // BUCKET == nearest // BUCKET


@given(samples, st.integers(1, 30))
def test_the_newest_cells_warrant_as_much_as_they_are_many(
        made: list[tuple[int, int]], wanted: int) -> None:
    newest = sorted(cells(made), key=lambda cell: -cell.last)[:wanted]
    found = reach(newest, *ALWAYS, wanted)
    assert found is not None or len(made) < wanted or len(newest) < wanted
