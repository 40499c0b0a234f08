"""A file that a user names is written whole, and never over somebody's work."""

import pytest

from data.home import Home
from data.output_files import OutputFileError, output_file, require_replaceable, write_output


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_into_a_folder_that_is_made(tmp_path, home):
    write_output(tmp_path / "new" / "f.txt", b"one", home)
    assert (tmp_path / "new" / "f.txt").read_bytes() == b"one"
    assert names(tmp_path / "new") == ["f.txt"]


def test_a_file_that_leadscore_wrote_and_nobody_changed_is_replaced(tmp_path, home):
    for content in (b"one", b"two", b"three"):
        write_output(tmp_path / "f.txt", content, home)
        assert (tmp_path / "f.txt").read_bytes() == content


@pytest.mark.parametrize("was_written", [True, False])
def test_a_file_that_somebody_changed_or_made_is_replaced_only_on_request(tmp_path, home, was_written):
    out = tmp_path / "f.txt"
    if was_written:
        write_output(out, b"one", home)
    out.write_bytes(b"mine")
    with pytest.raises(OutputFileError, match=r"f\.txt exists, .* --overwrite"):
        write_output(out, b"two", home)
    with pytest.raises(OutputFileError, match="--overwrite"):
        require_replaceable(out, home, overwrite=False)
    assert out.read_bytes() == b"mine"
    write_output(out, b"two", home, overwrite=True)
    assert out.read_bytes() == b"two"
    write_output(out, b"three", home)
    assert out.read_bytes() == b"three"


def test_the_same_content_is_no_loss(tmp_path, home):
    (tmp_path / "f.txt").write_bytes(b"one")
    write_output(tmp_path / "f.txt", b"one", home)
    write_output(tmp_path / "f.txt", b"two", home)
    assert (tmp_path / "f.txt").read_bytes() == b"two"


def test_the_same_file_by_another_path_is_known(tmp_path, home, monkeypatch):
    write_output(tmp_path / "f.txt", b"one", home)
    (tmp_path / "link.txt").symlink_to(tmp_path / "f.txt")
    require_replaceable(tmp_path / "link.txt", home, overwrite=False)
    monkeypatch.chdir(tmp_path)
    require_replaceable(tmp_path / ".." / tmp_path.name / "f.txt", home, overwrite=False)


def interrupted(out, home):
    with output_file(out, home) as draft:
        draft.write_bytes(b"half")
        raise KeyboardInterrupt


def test_whatever_interrupts_the_writing_leaves_the_file_as_it_was(tmp_path, home):
    write_output(tmp_path / "f.txt", b"one", home)
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "f.txt", home)
    assert (tmp_path / "f.txt").read_bytes() == b"one"
    assert names(tmp_path) == ["f.txt", "home"]


@pytest.mark.parametrize("damage", ["", "[]", "no JSON"])
def test_without_a_record_of_what_was_written_nothing_is_replaced(tmp_path, home, damage):
    write_output(tmp_path / "f.txt", b"one", home)
    (home.root / "data/store/output_files.json").write_text(damage)
    with pytest.raises(OutputFileError, match="--overwrite"):
        write_output(tmp_path / "f.txt", b"two", home)


def test_a_folder_is_not_taken_for_a_file(tmp_path, home):
    with pytest.raises(OutputFileError, match="is a folder: give --out the name of a file"):
        write_output(tmp_path, b"one", home, overwrite=True)


def test_a_place_that_cannot_be_written_is_named(tmp_path, home):
    (tmp_path / "f.txt").write_bytes(b"one")
    with pytest.raises(OutputFileError, match=r"f\.txt/g\.txt cannot be written"):
        write_output(tmp_path / "f.txt" / "g.txt", b"one", home)
