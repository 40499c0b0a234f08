"""A write of another process is waited for, and what a dead process left behind is not."""

import os
import subprocess
import sys

import pytest

from serving.store.processes import process_identity
from serving.store.writes_in_flight import SLOTS_SUFFIX, WritesInFlight


@pytest.fixture
def two(tmp_path):
    """Two holders of slots on one store."""
    found = WritesInFlight(tmp_path / "store.db"), WritesInFlight(tmp_path / "store.db")
    yield found
    for one in found:
        one.close()


def test_a_write_shows_to_the_others_and_not_to_its_own_process(two):
    one, other = two
    assert (one.since(), other.since()) == (None, None)
    one.announce(17)
    assert (one.since(), other.since()) == (None, 17)
    one.announce(0)
    assert other.since() is None


def test_the_earliest_of_several_writes_counts(two, tmp_path):
    third = WritesInFlight(tmp_path / "store.db")
    two[0].announce(30)
    two[1].announce(20)
    assert third.since() == 20
    third.close()


def kill(holder, since=0):
    """Leave a slot as a killed process does whose number has been reused."""
    holder._write(holder._slot, os.getpid(), 12345, since)
    holder._map.close()
    holder._file.close()


def test_what_a_killed_process_left_is_forgotten_though_its_number_came_again(two, tmp_path):
    """In a container the service comes back with the very number that it was killed with."""
    one, other = two
    kill(WritesInFlight(tmp_path / "store.db"), since=5)
    assert one.since() is None
    assert other.since() is None


def test_slots_of_dead_processes_are_given_away(tmp_path):
    for _ in range(200):
        kill(WritesInFlight(tmp_path / "store.db"))
    assert (tmp_path / f"store.db{SLOTS_SUFFIX}").stat().st_size < 10_000


def test_what_a_process_left_that_ended_is_forgotten_though_nobody_asked_after_it(two):
    """In a container without an init, a killed process stays in the process list."""
    one, other = two
    ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known_as = process_identity(ended.pid)
    one._write(one._slot, ended.pid, known_as, 5)
    assert other.since() == 5
    ended.kill()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays in the list
    assert process_identity(ended.pid) == known_as
    assert other.since() is None
    ended.communicate()
