"""Whatever goes wrong while a file or a folder is written, its reader sees the old content or the new."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from data.atomic_files import (
    append_line,
    drafts_of,
    holds_drafts,
    new_file,
    new_folder,
    scratch_folder,
    write_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("content", "stored"), [("ö\n", "ö\n".encode()), (b"\xff", b"\xff")])
def test_a_file_is_written_with_its_folder_and_nothing_beside_it(tmp_path: Path, content: str | bytes, stored: bytes):
    path = tmp_path / "new" / "file"
    write_whole(path, "old")
    write_whole(path, content)
    assert path.read_bytes() == stored
    assert names(path.parent) == ["file"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path: Path):
    (tmp_path / "usual").write_text("")
    write_whole(tmp_path / "whole", "")
    assert stat.S_IMODE((tmp_path / "whole").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_file_that_is_interrupted_leaves_the_old_one(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with new_file(path) as draft:
            draft.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_folder_replaces_the_old_one_with_all_that_was_in_it(tmp_path: Path):
    place = tmp_path / "folder"
    (place / "deep").mkdir(parents=True)
    with new_folder(place, overwrite=True) as draft:
        (draft / "file").write_text("new")
        assert names(place) == ["deep"]
    assert names(place) == ["file"]
    assert names(tmp_path) == ["folder"]


def test_a_folder_that_must_not_be_replaced_stays(tmp_path: Path):
    place = tmp_path / "folder"
    place.mkdir()
    (place / "old").write_text("old")
    with pytest.raises(OSError, match="folder"), new_folder(place) as draft:
        (draft / "new").write_text("new")
    assert names(place) == ["old"]
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_a_folder_that_is_interrupted_leaves_the_old_one(tmp_path: Path, monkeypatch, moment: str):
    place = tmp_path / "folder"
    place.mkdir()
    (place / "old").write_text("old")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target == place and (self / "new").exists():
            raise KeyboardInterrupt
        return rename(self, target)

    def write() -> None:
        with new_folder(place, overwrite=True) as draft:
            (draft / "new").write_text("half")
            if moment == "writing":
                raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(place) == ["old"]
    assert names(tmp_path) == ["folder"]


def test_a_folder_that_holds_more_than_may_be_replaced_stays(tmp_path: Path):
    place = tmp_path / "folder"
    place.mkdir()
    (place / "mine").write_text("mine")
    with (
        pytest.raises(FileExistsError, match="mine, which leadscore did not write"),
        new_folder(place, overwrite=True, only={"file"}),
    ):
        pass
    (place / "mine").rename(place / "file")
    with new_folder(place, overwrite=True, only={"file"}) as draft:
        (draft / "file").write_text("new")
    assert (place / "file").read_text() == "new"
    assert names(tmp_path) == ["folder"]


def test_a_file_where_a_folder_belongs_stays(tmp_path: Path):
    (tmp_path / "folder").write_text("mine")
    with pytest.raises(FileExistsError), new_folder(tmp_path / "folder", overwrite=True, only={"file"}):
        pass
    assert (tmp_path / "folder").read_text() == "mine"


def test_a_folder_of_drafts_is_known_by_a_mark_that_names_it(tmp_path: Path):
    with new_folder(tmp_path / "folder") as draft, scratch_folder(tmp_path) as scratch:
        assert holds_drafts(draft.parent)
        assert holds_drafts(scratch)
        shutil.copytree(scratch, tmp_path / "copy")
        assert not holds_drafts(tmp_path / "copy")
        assert not holds_drafts(tmp_path)


def test_the_drafts_of_a_file_are_no_backups_that_somebody_named_after_it(tmp_path: Path):
    (tmp_path / ".file.swp").write_text("")
    (tmp_path / ".file.backup").write_text("")
    with new_file(tmp_path / "file") as draft:
        draft.write_text("")
        assert drafts_of(tmp_path / "file") == [draft]


def test_everything_is_on_the_disk_before_it_is_renamed(tmp_path: Path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink()))
    with new_folder(tmp_path / "folder") as draft:
        (draft / "file").write_text("new")
    assert synced == [draft, draft / "file", tmp_path]


def test_a_line_follows_one_that_a_crash_left_without_its_end(tmp_path: Path):
    path = tmp_path / "journal"
    append_line(path, b"first")
    with path.open("ab") as file:
        file.write(b"tor")
    append_line(path, b"second")
    assert path.read_bytes() == b"first\ntor\nsecond\n"


def test_a_line_that_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch):
    path = tmp_path / "journal"
    append_line(path, b"first")

    def disk_is_full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OSError, match="No space"):
        append_line(path, b"second")
    assert path.read_bytes() == b"first\n"
