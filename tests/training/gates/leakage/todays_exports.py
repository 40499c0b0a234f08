"""Exports of a simulated company whose leads do not say since when a value is known."""

from pathlib import Path

import pandas as pd
import yaml

from data.home import Home
from data.importing.warehouse import Warehouse, import_history
from data.simulation import simulate
from data.words.playbook import Playbook, load_playbook
from data.workspace import Workspace
from tests.conftest import UNTIL

PAGE_VIEWS = {"type": "numeric", "says": "looked at {value} pages", "label": "number of page views"}


def todays_company(
    folder: Path, *, seed: int, leads: int = 1_500, latest: bool = False, page_views: bool = False, **says: object
) -> Playbook:
    """
    Write the exports of a company without ``known_at`` of its leads.

    Args:
        folder: where.
        seed: of the simulation.
        leads: how many.
        latest: whether attributes hold today's values, in place of those of the first form.
        page_views: add the number of page views until the export.
        says: what the playbook says of the attribute ``page_views`` besides its type and its words.
    """
    simulate(folder, leads=leads, seed=seed, until=UNTIL)
    versions = pd.read_parquet(folder / "leads.parquet").groupby("lead_id", sort=False)
    # `nth`, since `first` and `last` look for values that are not missing.
    table = versions.nth(-1 if latest else 0).drop(columns=["known_at", "lead_status"])
    playbook = yaml.safe_load((folder / "playbook.yaml").read_text())
    del playbook["sources"][0]["columns"]["known_at"], playbook["attributes"]["lead_status"]
    playbook["never_use"] = []
    if page_views:
        views = pd.read_csv(folder / "web.csv.gz").query("event == 'view'")["visitor"].value_counts()
        table["page_views"] = views.reindex(table["lead_id"]).fillna(0).to_numpy()
        playbook["attributes"]["page_views"] = {**PAGE_VIEWS, **says}
    table.to_parquet(folder / "leads.parquet", index=False)
    (folder / "playbook.yaml").write_text(yaml.safe_dump(playbook, sort_keys=False))
    return load_playbook(folder)


def history_of(playbook: Playbook) -> Warehouse:
    """Import a company's history beside its playbook."""
    return import_history(Workspace(playbook, Home(playbook.path / "home")))
