"""Nobody can take all connections: who waits longest makes room, and who has a request there is never cut off."""

from hypothesis import given
from hypothesis import strategies as st

from serving.observability.open_connections import OpenConnections

STEPS = st.lists(st.tuples(st.sampled_from(["open", "request", "answer", "close"]), st.integers(0, 3)), max_size=60)


class Connection:
    def __init__(self, address):
        self.address, self.is_cut_off, self.is_busy = address, False, False

    def cut_off(self):
        assert not self.is_busy
        self.is_cut_off = True


def test_the_connection_that_has_waited_longest_makes_room():
    connections = OpenConnections(2, 2)
    first, second, third = (Connection(address) for address in "abc")
    assert all(connections.admit(one, one.address) for one in (first, second, third))
    assert (first.is_cut_off, second.is_cut_off) == (True, False)
    assert (len(connections), connections.cut_off) == (2, 1)


def test_an_address_that_has_its_share_makes_room_itself():
    connections = OpenConnections(10, 2)
    other, first, second, third = (Connection(address) for address in "baaa")
    assert all(connections.admit(one, one.address) for one in (other, first, second, third))
    assert [one.is_cut_off for one in (other, first, second, third)] == [False, True, False, False]


def test_where_all_are_being_answered_a_new_one_is_refused():
    connections = OpenConnections(1, 1)
    busy = Connection("a")
    assert connections.admit(busy, "a")
    connections.has_request(busy)
    assert not connections.admit(Connection("b"), "b")
    connections.is_answered(busy)
    assert connections.admit(Connection("b"), "b")
    assert busy.is_cut_off


@given(STEPS)
def test_the_bounds_hold_whatever_happens(steps):
    connections, alive = OpenConnections(5, 3), []
    for what, which in steps:
        if what == "open":
            new = Connection("ab"[which % 2])
            if connections.admit(new, new.address):
                alive.append(new)
        elif alive:
            one = alive[which % len(alive)]
            if what == "request":
                one.is_busy = True
                connections.has_request(one)
            elif what == "answer":
                one.is_busy = False
                connections.is_answered(one)
            else:
                alive.remove(one)
                connections.forget(one)
        alive = [one for one in alive if not one.is_cut_off]
        assert len(connections) == len(alive) <= 5
        assert max([sum(one.address == address for one in alive) for address in "ab"]) <= 3
