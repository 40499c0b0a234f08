"""How much memory an import or a build may take is a setting, and never more than half the machine's by itself."""

import pytest

from data.duckdb_settings import memory_limit
from data.errors import DataError
from data.memory_share import memory_bytes
from features.history.history_facts import FACTS_AT_ONCE, facts_at_once
from features.history.over_history import rows_at_once

GB = 2**30


def test_by_default_it_is_half_the_machines_memory_and_four_gigabytes_at_most(monkeypatch):
    monkeypatch.delenv("LEADSCORE_MEMORY", raising=False)
    assert GB <= memory_bytes() <= 4 * GB


@pytest.mark.parametrize(("named", "expected", "duckdb"), [("2", 2 * GB, "1024MiB"), ("1.5", 3 * GB // 2, "768MiB")])
def test_the_setting_decides_and_duckdb_gets_half(monkeypatch, named, expected, duckdb):
    monkeypatch.setenv("LEADSCORE_MEMORY", named)
    assert (memory_bytes(), memory_limit()) == (expected, duckdb)


@pytest.mark.parametrize("named", ["", "much", "0", "0.5", "-4", "nan", "inf"])
def test_what_is_no_size_is_refused(monkeypatch, named):
    monkeypatch.setenv("LEADSCORE_MEMORY", named)
    with pytest.raises(DataError, match=r"LEADSCORE_MEMORY is .*, expected gigabytes from 1 on, such as 4\."):
        memory_bytes()


def test_with_less_memory_parts_are_smaller(monkeypatch):
    sizes = []
    for named in ("1", "4", "64"):
        monkeypatch.setenv("LEADSCORE_MEMORY", named)
        sizes.append((rows_at_once(200), rows_at_once(2_000), facts_at_once()))
    assert all(small < large for small, large in zip(sizes[0], sizes[1], strict=True))
    assert all(many_features < few for few, many_features, _ in sizes)
    assert sizes[2][2] == FACTS_AT_ONCE
