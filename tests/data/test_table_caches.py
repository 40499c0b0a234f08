"""What leadscore made is recognised, and whatever differs from it in anything is not."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.table_caches import REJECTED_COLUMNS, caches_in, require_own_rejects
from tests.data.company import ACTIVITIES, LEADS, OUTCOMES, TWO_LEADS, company, imported

FILES = {
    "leads.csv": TWO_LEADS,
    "web.csv": "id,lead_id,kind,occurred_at\n1,ann,view,2026-02-02\n",
    "outcomes.csv": "id,lead_id,stage,reached_at\no,ann,won,2026-03-01T08:00:00Z\n",
}
SOURCES = [LEADS, ACTIVITIES, OUTCOMES]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The folder of tables of a small company, after one import."""
    return imported(company(tmp_path, FILES, SOURCES)).folder.parent


def places(tables: Path) -> list[str]:
    return [cache.place.name for cache in caches_in(tables)]


def test_an_import_is_recognised_with_its_manifest_as_the_last_of_its_files(tables: Path):
    (cache,) = caches_in(tables)
    assert [path.name for path in cache.files] == [
        "activities.parquet",
        "leads.parquet",
        "outcomes.parquet",
        "manifest.json",
    ]
    cache.delete()
    assert list(tables.iterdir()) == []


@pytest.mark.parametrize("change", ["name", "manifest", "size", "digest", "link", "deeper"])
def test_a_folder_that_differs_from_an_import_is_nobody_s_cache(tables: Path, change: str):
    (place,) = tables.iterdir()
    manifest = json.loads((place / "manifest.json").read_text())
    match change:
        case "name":
            place.rename(tables / "backup")
        case "manifest":
            (place / "manifest.json").unlink()
        case "size":
            with (place / "leads.parquet").open("ab") as file:
                file.write(b"more")
        case "digest":
            (place / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "0" * 64}))
        case "link":
            (tables.parent / place.name).mkdir()
            place.rename(tables.parent / place.name / "real")
            place.symlink_to(tables.parent / place.name / "real")
        case _:
            (tables / "backup").mkdir()
            place.rename(tables / "backup" / place.name)
    assert caches_in(tables) == []


def test_rejected_rows_are_recognised_by_their_columns(tables: Path):
    path = tables / f"{'0' * 16}.rejected.parquet"
    path.write_bytes(b"mine")
    assert len(caches_in(tables)) == 1
    with pytest.raises(DataError, match="is not a file of rejected rows"):
        require_own_rejects(path)
    assert path.read_bytes() == b"mine"
    pq.write_table(pa.table({name: ["x"] for name in REJECTED_COLUMNS}), path)
    assert len(caches_in(tables)) == 2
    require_own_rejects(path)


def test_an_import_does_not_replace_a_folder_in_which_somebody_put_a_file(tmp_path: Path):
    playbook = company(tmp_path, FILES, SOURCES)
    place = imported(playbook).folder
    (place / "manifest.json").write_text("damaged")
    (place / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt, which leadscore did not write"):
        imported(playbook)
    (place / "notes.txt").unlink()
    assert imported(playbook).folder == place
