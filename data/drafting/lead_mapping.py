"""How a table of leads is mapped: its ids, its instants, its versions; the attributes come later."""

from dataclasses import replace

from data.drafting.column_facts import ColumnContent
from data.drafting.drafted_source import ColumnPicker, DraftedSource, DraftTools
from data.drafting.dump_days import find_dumps
from data.drafting.file_roles import RoledFile
from data.drafting.outcome_mapping import outcome_in_leads
from data.errors import IntakeError


def map_leads(roled: RoledFile, tools: DraftTools, *, takes_outcome: bool) -> DraftedSource:
    """
    Map a table of leads.

    Args:
        roled: the file.
        tools: the samples and the decisions.
        takes_outcome: whether the table's own outcome counts, since no file holds outcomes.

    Raises:
        IntakeError: no column says when a lead was created.
    """
    file, picker = roled.file, ColumnPicker(roled.file, tools)
    ids = tools.ids.of(file.sample, roled.key)
    several = ids.distinct < ids.rows
    picker.take(
        "lead_id", roled.key, f"{ids.distinct:,} leads in {ids.rows:,} rows" if several else f"{ids.rows:,} leads"
    )
    if file.shape is None or not file.shape.shape.no_account:
        _take_account(picker)
    dump = find_dumps(roled, tools) if several else None
    if dump is not None:
        picker.take("version_at", dump.column, "")
    elif several:
        picker.take_best("version_at", ColumnContent.INSTANT)
    if not picker.take_instant("created_at", "When was the lead created?"):
        message = f"{file.shown} has no column of instants, and leads need the time of their creation: export it, too."
        raise IntakeError(message)
    version = picker.columns.pop("version_at", None)
    if dump is not None:
        tools.log.take(f"{file.shown}: snapshot_date", dump.column, dump.why)
    elif version is not None:
        why = f"{ids.rows:,} rows of {ids.distinct:,} leads: each is a version of one"
        picker.take("known_at", version, why)
    elif not several:
        picker.take_known_at("created_at")
    source = DraftedSource(roled, picker.columns, picker.whys, snapshot=dump)
    outcome = outcome_in_leads(file, list(picker.columns.values()), tools) if takes_outcome else None
    return replace(source, outcome=outcome)


def _take_account(picker: ColumnPicker) -> None:
    """Map the column of accounts; one that has another value for each lead is none."""
    facts = picker.file.best(
        "account_id",
        ColumnContent.TEXT,
        ColumnContent.NUMBER,
        ColumnContent.CATEGORY,
        but=list(picker.columns.values()),
    )
    if facts is not None:
        picker.take("account_id", facts.name, f"{facts.distinct:,} accounts, about")
