"""The demo makes room for a new store, and loses none of the earlier ones."""

from serving.verbs.demo_replay import _set_aside
from tests.serving.conftest import settings_in


def test_a_store_that_was_there_is_set_aside_and_so_is_the_next_one(tmp_path):
    settings = settings_in(tmp_path)
    assert _set_aside(settings) is None
    for content in ("first", "second", "third"):
        for ending in ("", "-wal"):
            (tmp_path / f"leadscore.db{ending}").write_text(content + ending)
        assert (_set_aside(settings) or tmp_path).read_text() == content
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == {
        "leadscore.previous.db": "first",
        "leadscore.previous.db-wal": "first-wal",
        "leadscore.previous-2.db": "second",
        "leadscore.previous-2.db-wal": "second-wal",
        "leadscore.previous-3.db": "third",
        "leadscore.previous-3.db-wal": "third-wal",
    }
