"""The journal: no move is lost, whatever stops in between, and the previous champion is always known."""

import errno
import json
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import atomic_files
from models.champion import Champion, point_to, read_pointer
from models.errors import StructureError
from training.errors import ChampionChangedError, RegistryError
from training.registry import champion_pointer
from training.registry.champion_pointer import current_user, locked_history, one_line, write_change
from training.registry.promotion_history import JOURNAL, ChampionChange, ChampionHistory, read_champion_history

PLACE = Path("models").resolve()


def version(number):
    return Champion(str(number), f"{number:064}", f"bundles/run-{number}")


def put(models, to, *, action="promote", reason=None, expected=None):
    """Put a version in the champion's place."""
    with locked_history(models, expected=expected) as serving:
        at = f"2026-01-01T00:00:{serving.next_number:02}Z"
        move = ChampionChange(serving.next_number, action, at, "ada", reason, "as asked", to, serving.champion)
        assert write_change(models, move) == ""
    return move


def lines(models):
    return [json.loads(line) for line in (models / JOURNAL).read_text().splitlines()]


# ---- what is kept


@given(
    number=st.integers(1, 10**6),
    action=st.sampled_from(["promote", "force", "rollback"]),
    texts=st.tuples(st.text(), st.text(), st.text()),
    reason=st.none() | st.text(),
    before=st.none() | st.just(version(7)),
)
def test_a_move_is_read_as_it_was_written(number, action, texts, reason, before):
    move = ChampionChange(number, action, *texts[:2], reason, texts[2], version(1), before)
    assert ChampionChange.from_json(json.loads(json.dumps(move.as_json())), PLACE) == move


@pytest.mark.parametrize(
    "change",
    [
        {"action": "shove"},
        {"action": ["promote"]},
        {"number": "1"},
        {"number": True},
        {"who": None},
        {"reason": 3},
        {"version": ""},
        {"bundle": "../../etc"},
        {"bundle": "\0"},
        {"bundle": "\ud800"},
        {"before": {"version": "1"}},
        {"more": 1},
    ],
)
def test_what_is_no_move_is_a_clear_mistake(change):
    move = ChampionChange(1, "promote", "now", "ada", None, "", version(1), None)
    with pytest.raises(StructureError):
        ChampionChange.from_json(move.as_json() | change, PLACE)


def test_each_move_is_a_line_and_the_pointer_holds_the_last(tmp_path):
    moves = [put(tmp_path, version(number), reason=f"because {number}") for number in (1, 2, 3)]
    assert lines(tmp_path) == [move.as_json() for move in moves]
    found = read_champion_history(tmp_path)
    assert found.changes == tuple(moves)
    assert found.champion == version(3)
    assert read_pointer(tmp_path).move == moves[2].as_json()
    assert [move.before for move in moves] == [None, version(1), version(2)]


def test_a_journal_is_only_ever_appended_to(tmp_path):
    put(tmp_path, version(1))
    before = (tmp_path / JOURNAL).read_bytes()
    put(tmp_path, version(2))
    assert (tmp_path / JOURNAL).read_bytes().startswith(before)


def test_where_nothing_was_promoted_there_is_nothing(tmp_path):
    assert read_champion_history(tmp_path / "none") == ChampionHistory(None, None, (), None, (), "")
    assert not (tmp_path / "none").exists()


# ---- what a process left undone


def test_a_move_that_only_the_pointer_knows_counts_and_is_written_by_the_next(tmp_path):
    """Whatever ends a process between the pointer and the journal."""
    put(tmp_path, version(1))
    put(tmp_path, version(2))
    whole = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(whole[: whole.index(b"\n") + 1])
    found = read_champion_history(tmp_path)
    assert [move.to for move in found.changes] == [version(1), version(2)]
    assert found.previous == version(1)
    put(tmp_path, version(3))
    assert [line["version"] for line in lines(tmp_path)] == ["1", "2", "3"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_half_a_line_is_kept_reported_and_written_again_whole(tmp_path, share):
    put(tmp_path, version(1))
    put(tmp_path, version(2))
    first, second = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    half = second[: round(len(second) * share)]
    (tmp_path / JOURNAL).write_bytes(first + half)
    put(tmp_path, version(3))
    found = read_champion_history(tmp_path)
    assert [move.to.version for move in found.changes] == ["1", "2", "3"]
    assert found.damaged == (2,)
    assert half in (tmp_path / JOURNAL).read_bytes()
    assert re.search(r"history\.jsonl has lines that cannot be read \(2\): they are kept", found.damage_note(tmp_path))


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"{}", b"null", b"[" * 9_000, b'{"number": NaN}', b"not JSON"])
def test_a_damaged_line_is_said_and_the_moves_around_it_are_not_lost(tmp_path, damage):
    put(tmp_path, version(1))
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(damage + b"\n\n")
    put(tmp_path, version(2))
    found = read_champion_history(tmp_path)
    assert [move.to.version for move in found.changes] == ["1", "2"]
    assert found.damaged == (2,)
    assert damage in (tmp_path / JOURNAL).read_bytes()


def test_a_damaged_pointer_is_said_and_the_journal_still_knows_who_served(tmp_path):
    put(tmp_path, version(1))
    put(tmp_path, version(2))
    (tmp_path / "champion.json").write_bytes(b'{"version": "2", \xff')
    found = read_champion_history(tmp_path)
    assert (found.champion, found.previous) == (version(2), version(1))
    assert "champion.json is not UTF-8 text" in found.problem
    put(tmp_path, version(3), expected=found)
    assert read_champion_history(tmp_path).previous == version(2)


def test_a_pointer_that_a_hand_wrote_is_what_serves(tmp_path):
    put(tmp_path, version(1))
    put(tmp_path, version(2))
    point_to(tmp_path, version(9))
    found = read_champion_history(tmp_path)
    assert (found.champion, found.previous, len(found.changes)) == (version(9), version(2), 2)
    assert put(tmp_path, version(3)).before == version(9)
    assert read_champion_history(tmp_path).previous == version(9)


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path):
    put(tmp_path, version(1))
    (tmp_path / ".champion.json.0123456789ab").write_text('{"version": "2"')
    (tmp_path / ".champion.json.4711").write_text("somebody else's")
    put(tmp_path, version(2))
    assert [path.name for path in tmp_path.glob(".champion.json.*")] == [".champion.json.4711"]


# ---- the previous champion


@given(st.lists(st.sampled_from([1, 2, 3, "back"]), max_size=12))
def test_promotions_pile_up_and_a_rollback_takes_the_uppermost_off(steps):
    """As a pile of plates does; promoting what serves already moves nothing."""
    pile, moves = [], []
    for step in steps:
        before = version(pile[-1]) if pile else None
        found = ChampionHistory(None, before, tuple(moves), None, (), "")
        assert found.previous == (version(pile[-2]) if len(pile) > 1 else None)
        if step == "back":
            if len(pile) < 2:
                continue
            pile.pop()
        elif pile[-1:] == [step]:
            continue
        else:
            pile.append(step)
        action = "rollback" if step == "back" else "promote"
        moves.append(ChampionChange(len(moves) + 1, action, "", "ada", None, "", version(pile[-1]), before))


def test_a_lost_line_in_the_middle_does_not_hide_who_served_before():
    """Each move says what it replaced, so that the pile can be mended."""
    moves = [
        ChampionChange(
            number, "promote", "", "ada", None, "", version(number), version(number - 1) if number > 1 else None
        )
        for number in (1, 2, 3)
    ]
    assert ChampionHistory(None, version(3), (moves[0], moves[2]), None, (), "").previous == version(2)
    back = ChampionChange(4, "rollback", "", "ada", None, "", version(2), version(3))
    fifth = ChampionChange(5, "promote", "", "ada", None, "", version(5), version(2))
    assert ChampionHistory(None, version(5), (*moves, fifth), None, (), "").previous == version(2)
    assert ChampionHistory(None, version(2), (moves[0], back), None, (), "").previous == version(1)


def test_where_the_pointer_is_gone_the_last_champion_is_the_previous_one(tmp_path):
    put(tmp_path, version(1))
    put(tmp_path, version(2))
    (tmp_path / "champion.json").unlink()
    assert read_champion_history(tmp_path).previous == version(2)


def test_a_version_put_in_place_again_by_hand_of_the_gate_is_no_step_back():
    """Where the pointer was damaged, the same version may be promoted again; a rollback still leaves it."""
    first = ChampionChange(1, "promote", "", "ada", None, "", version(1), None)
    second = ChampionChange(2, "promote", "", "ada", None, "", version(2), version(1))
    again = ChampionChange(3, "force", "", "ada", "mended", "", version(2), version(2))
    assert ChampionHistory(None, version(2), (first, second, again), None, (), "").previous == version(1)


# ---- one at a time


def test_whoever_was_not_expected_is_named(tmp_path):
    put(tmp_path, version(1))
    seen = read_champion_history(tmp_path)
    put(tmp_path, version(2))
    with pytest.raises(ChampionChangedError, match=r"Version 2 was promoted by ada at 2026-01-01T00:00:02Z meanwhile"):
        put(tmp_path, version(3), expected=seen)
    assert len(lines(tmp_path)) == 2


def test_away_and_back_again_is_another_champion_than_before(tmp_path):
    put(tmp_path, version(1))
    seen = read_champion_history(tmp_path)
    put(tmp_path, version(2))
    put(tmp_path, version(1), action="rollback")
    with pytest.raises(ChampionChangedError, match="Version 1 was put back by ada"):
        put(tmp_path, version(3), expected=seen)


def test_what_a_hand_changed_meanwhile_is_not_overwritten(tmp_path):
    put(tmp_path, version(1))
    seen = read_champion_history(tmp_path)
    point_to(tmp_path, version(9))
    with pytest.raises(ChampionChangedError, match="Another version was put in place meanwhile"):
        put(tmp_path, version(3), expected=seen)


def test_a_second_mover_waits_for_the_first(tmp_path):
    entered, leave, order = threading.Event(), threading.Event(), []

    def first():
        with locked_history(tmp_path):
            entered.set()
            leave.wait(10)
            order.append("first")

    def second():
        with locked_history(tmp_path):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


def test_nobody_waits_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(champion_pointer, "_WAIT_S", 0.1)
    with locked_history(tmp_path), pytest.raises(RegistryError, match="Another process has been changing the champion"):
        put(tmp_path, version(1))


# ---- a disk that refuses


def full(file, line):
    """Write what a full disk takes of a line."""
    file.write(line[:20])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_journal_that_cannot_be_written_does_not_undo_the_move_and_is_written_later(tmp_path, monkeypatch):
    put(tmp_path, version(1))
    before = (tmp_path / JOURNAL).read_bytes()
    move = ChampionChange(2, "promote", "now", "ada", None, "", version(2), version(1))
    with monkeypatch.context() as disk:
        disk.setattr(atomic_files, "_write_all", full)
        assert "history.jsonl cannot be written (No space left on device)" in write_change(tmp_path, move)
        assert read_pointer(tmp_path).version == "2"
        assert (tmp_path / JOURNAL).read_bytes() == before
        with pytest.raises(RegistryError, match="so nothing was changed"), locked_history(tmp_path):
            pass
    put(tmp_path, version(3))
    assert [line["version"] for line in lines(tmp_path)] == ["1", "2", "3"]


def test_a_disk_that_takes_half_a_line_is_a_full_disk(tmp_path):
    (tmp_path / JOURNAL).symlink_to("/dev/full")
    move = ChampionChange(1, "promote", "now", "ada", None, "", version(1), None)
    assert "history.jsonl cannot be written (No space left on device)" in write_change(tmp_path, move)


def test_a_pointer_that_cannot_be_written_moves_nothing(tmp_path):
    put(tmp_path, version(1))
    (tmp_path / "champion.json").unlink()
    (tmp_path / "champion.json").mkdir()
    move = ChampionChange(2, "promote", "now", "ada", None, "", version(2), version(1))
    with pytest.raises(RegistryError, match="so nothing was changed"):
        write_change(tmp_path, move)
    assert len(lines(tmp_path)) == 1


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(RegistryError, match="cannot be written"), locked_history(tmp_path / "models" / "demo"):
        pass


def test_a_journal_that_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(RegistryError, match=r"history\.jsonl cannot be read \(Is a directory\)"):
        read_champion_history(tmp_path)


# ---- who


def test_who_moves_is_named_by_the_environment_or_the_system(monkeypatch):
    monkeypatch.setenv("LEADSCORE_USER", " Ada\nLovelace ")
    assert current_user() == "Ada Lovelace"
    monkeypatch.setenv("LEADSCORE_USER", " ")
    monkeypatch.setenv("LOGNAME", "grace")
    assert current_user() == "grace"


def test_a_user_without_a_name_is_a_number(monkeypatch):
    monkeypatch.delenv("LEADSCORE_USER", raising=False)

    def nameless():
        raise KeyError(os.getuid())

    monkeypatch.setattr(champion_pointer.getpass, "getuser", nameless)
    assert current_user() == f"user {os.getuid()}"


@given(st.text())
def test_what_people_say_fits_on_a_line_of_any_file(text):
    found = one_line(text)
    assert found is None or (found.encode() and found == " ".join(found.split()))
    assert one_line("\ud800") == "?"


def test_a_move_of_before_the_journal_was_kept_is_what_the_first_one_replaces(tmp_path):
    point_to(tmp_path, version(1))
    found = read_champion_history(tmp_path)
    assert (found.champion, found.previous, found.changes) == (version(1), None, ())
    put(tmp_path, version(2), expected=found)
    assert read_champion_history(tmp_path).previous == version(1)
    assert replace(found, champion=None).previous is None
