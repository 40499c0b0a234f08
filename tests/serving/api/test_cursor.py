"""Lists page by an opaque cursor: whatever comes in meanwhile, each row is on one page, in both directions."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from data.instants import iso
from serving.api.cursor import PageRequest
from serving.errors import InvalidError
from serving.store.keyset import Position
from serving.store.tables import leads, routes, scores
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import NOON, opened, settings_in

LISTS = {"/v1/routes": "routes", "/v1/scores": "scores"}
PAGING = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=6)
POINTS = st.lists(st.sampled_from([-3.5, 0.0, 41.1, 60.0, 60.1]), min_size=0, max_size=14)


def emptied(store):
    with store.service.database.writing() as connection:
        connection.execute(delete(leads))


def add(store, points, *, first):
    """Add leads with stored scores, each of which was handed over as well; many share their points."""
    named = [(f"L-{number}", value) for number, value in enumerate(points, start=first)]
    if not named:
        return
    with store.service.database.writing() as connection:
        connection.execute(insert(leads), [{"lead_id": lead_id} for lead_id, _ in named])
        shared = {"score": 50, "grade": "A", "scorer": "{}"}
        receipt = {"as_of": NOON, "probability": None, "newest_activity_at": None, "receipt_id": "0" * 32}
        scored = [{**shared, **receipt, "lead_id": lead_id, "points": value} for lead_id, value in named]
        connection.execute(insert(scores), scored)
        handed = {"threshold": 40.0, "routed_at": NOON, "reasons": "[]"}
        handed_over = [{**shared, **handed, "lead_id": lead_id, "points": value} for lead_id, value in named]
        connection.execute(insert(routes), handed_over)


def page(store, path, **query):
    answer = store.client.get(path, params={name: value for name, value in query.items() if value is not None})
    assert answer.status_code == 200, answer.text
    return answer.json()


def walked(store, path, sizes, *, towards="next", cursor=None, between=lambda: None, **query):
    """Follow a list from page to page; return its leads, and the cursor of the last page."""
    names, number = [], 0
    while True:
        content = page(store, path, limit=sizes[number % len(sizes)], cursor=cursor, **query)
        rows = [row["lead_id"] for row in content[LISTS[path]]]
        assert len(rows) <= sizes[number % len(sizes)]
        names = names + rows if towards == "next" else rows + names
        if content[towards] is None:
            return names, content
        cursor, number = content[towards], number + 1
        between()


@pytest.fixture(params=LISTS)
def path(request):
    return request.param


@PAGING
@given(old=POINTS, new=POINTS, sizes=SIZES)
def test_a_walk_sees_each_row_once_while_others_are_added(store, path, old, new, sizes):
    emptied(store)
    add(store, old, first=0)
    there = {f"L-{number}" for number in range(len(old))}
    added = iter(range(len(old), len(old) + len(new)))

    def between():
        number = next(added, None)
        if number is not None:
            add(store, [new[number - len(old)]], first=number)

    names, _ = walked(store, path, sizes, between=between)
    assert len(set(names)) == len(names)
    assert there <= set(names)


@PAGING
@given(points=POINTS, sizes=SIZES, back=SIZES)
def test_both_ways_agree_and_are_the_list_itself(store, path, points, sizes, back):
    emptied(store)
    add(store, points, first=0)
    whole = [row["lead_id"] for row in page(store, path, limit=1000)[LISTS[path]]]
    forwards, last = walked(store, path, sizes)
    assert forwards == whole
    tail = [row["lead_id"] for row in last[LISTS[path]]]
    if last["previous"] is None:
        assert tail == whole
        return
    backwards, first = walked(store, path, back, towards="previous", cursor=last["previous"])
    assert backwards + tail == whole
    assert first["next"] is not None


def test_what_was_handed_over_since_the_first_page_stands_before_it(store):
    add(store, [60.0, 60.0, 60.0], first=0)
    first = page(store, "/v1/routes", limit=2)
    assert first["previous"] is None
    add(store, [60.0], first=3)
    second = page(store, "/v1/routes", limit=2, cursor=first["next"])
    assert [row["lead_id"] for row in second["routes"]] == ["L-0"]
    newest, _ = walked(store, "/v1/routes", [2], towards="previous", cursor=second["previous"])
    assert newest == ["L-3", "L-2", "L-1"]


def test_since_leaves_out_what_was_before_and_the_cursor_remembers_it(store, path):
    add(store, [60.0] * 3, first=0)
    assert page(store, path, since=iso(NOON + 1))[LISTS[path]] == []
    first = page(store, path, since=iso(NOON), limit=1)
    assert len(first[LISTS[path]]) == 1
    rest, again = (page(store, path, cursor=first["next"], since=since) for since in (None, iso(NOON)))
    names = [[row["lead_id"] for row in content[LISTS[path]]] for content in (rest, again)]
    assert names[0] == names[1] != []
    answer = store.client.get(path, params={"cursor": first["next"], "since": iso(NOON + 1)})
    assert is_problem(answer, 422)["detail"].startswith("since: the cursor was made with another since")


def test_a_grade_is_remembered_too(store):
    add(store, [60.0] * 2, first=0)
    first = page(store, "/v1/scores", grade="A", limit=1)
    answer = store.client.get("/v1/scores", params={"cursor": first["next"], "grade": "B"})
    assert is_problem(answer, 422)["detail"].startswith("grade: the cursor was made with another grade")


def test_a_cursor_of_another_list_is_refused(store):
    add(store, [60.0] * 2, first=0)
    cursor = page(store, "/v1/routes", limit=1)["next"]
    is_problem(store.client.get("/v1/scores", params={"cursor": cursor}), 422)


@pytest.fixture(scope="module")
def lenient(tmp_path_factory):
    """A service whose answers to mangled cursors are of interest, on one store for all of them."""
    service = opened(settings_in(tmp_path_factory.mktemp("cursors"), requests_per_s=0))
    with service.client:
        add(service, [60.0] * 3, first=0)
        yield service


@given(place=st.integers(0, 10_000), sign=st.sampled_from("abcXYZ019-_=+/ .é\x00"), cut=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mangled_cursor_is_refused_in_one_sentence(lenient, place, sign, cut):
    cursor = page(lenient, "/v1/routes", limit=1)["next"]
    place %= len(cursor)
    mangled = cursor[:place] if cut else cursor[:place] + sign + cursor[place + 1 :]
    if mangled == cursor:
        return
    answer = lenient.client.get("/v1/routes", params={"cursor": mangled})
    expected = "cursor: is not one of this list; send `next` or `previous` of its answer unchanged."
    assert is_problem(answer, 422)["detail"] == expected


@pytest.mark.parametrize("values", [("L-1", "ü" * 200), (-0.1, "L-1"), (2**62,)])
def test_a_cursor_holds_any_place(values):
    wanted = PageRequest("scores", {"since": None}, Position(values, is_backwards=True))
    cursor = wanted._cursor(wanted.position)
    assert PageRequest.read(cursor, "scores", since=None) == wanted
    with pytest.raises(InvalidError):
        PageRequest.read(cursor, "scores", since=None, grade=None)
