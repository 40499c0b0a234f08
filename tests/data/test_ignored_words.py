"""Words that a source ignores: those listed, or all that it does not map. An empty word is a fault all the same."""

import pytest

from data.errors import PlaybookError
from tests.data.company import ACTIVITIES, LEADS, OUTCOMES, TWO_LEADS, company, imported, rows

WEB = "id,lead_id,kind,occurred_at\n1,ann,VIEW,2026-02-01\n2,ann,SENT,2026-02-01\n3,ann,,2026-02-01\n"
DEALS = "id,lead_id,stage,reached_at\n1,ann,Won,2026-02-01\n2,ann,Open,2026-02-01\n3,ann,,2026-02-01\n"
LOG = "case,what,at\nann,VIEW,2026-02-01\nann,Won,2026-02-02\nann,Open,2026-02-03\nann,,2026-02-04\n"
EVENTS = {
    "file": "log.csv", "holds": "event_log", "columns": {"lead_id": "case", "kind": "what", "occurred_at": "at"},
    "kinds": {"VIEW": "view"}, "outcomes": {"Won": "won"},
}  # fmt: skip


def counts(warehouse):
    return [(count.rows, count.kept, count.rejected, count.ignored) for count in warehouse.quality.sources]


def test_all_kinds_that_are_not_mapped_are_ignored(tmp_path):
    source = {**ACTIVITIES, "kinds": {"VIEW": "view"}, "ignore": "others"}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": WEB}, [LEADS, source]))
    assert counts(warehouse)[1] == (3, 1, 1, 1)
    assert [violation.rule for violation in warehouse.quality.violations] == ["missing"]


def test_without_kinds_the_playbooks_own_words_are_mapped(tmp_path):
    source = {**ACTIVITIES, "ignore": "others"}
    files = {"leads.csv": TWO_LEADS, "web.csv": WEB.replace("VIEW", "view")}
    assert counts(imported(company(tmp_path, files, [LEADS, source])))[1] == (3, 1, 1, 1)


def test_all_stages_that_are_not_mapped_are_ignored(tmp_path):
    source = {**OUTCOMES, "stages": {"Won": "won"}, "ignore": "others"}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "outcomes.csv": DEALS}, [LEADS, source]))
    assert counts(warehouse)[1] == (3, 1, 1, 1)


def test_all_events_that_are_neither_are_ignored(tmp_path):
    warehouse = imported(company(tmp_path, {"log.csv": LOG}, [{**EVENTS, "ignore": "others"}]))
    assert counts(warehouse)[0] == (4, 2, 1, 1)
    assert rows(warehouse, "outcomes", "stage") == [("won",)]


def test_others_is_a_word_like_any_other_in_a_list(tmp_path):
    source = {**ACTIVITIES, "kinds": {"VIEW": "view"}, "ignore": ["others"]}
    warehouse = imported(company(tmp_path, {"leads.csv": TWO_LEADS, "web.csv": WEB}, [LEADS, source]))
    assert counts(warehouse)[1] == (3, 1, 2, 0)


@pytest.mark.parametrize("source", [ACTIVITIES, OUTCOMES, EVENTS])
def test_one_word_alone_is_no_list(tmp_path, source):
    with pytest.raises(PlaybookError, match=r"ignore: expected a list of words, or others for all .*: write \[SENT\]"):
        company(tmp_path, {}, [LEADS, {**source, "ignore": "SENT"}])
