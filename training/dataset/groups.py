"""Groups: leads that may carry information about each other, and so stay in one fold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

LARGE = 0.5
"""More than this share of all rows in one group leaves too little for the folds that the group is not in."""


@dataclass(frozen=True, slots=True)
class LargestGroup:
    """
    The group with the most rows.

    Attributes:
        account: the account that most of its leads are in; None where it is a lead without one.
        share: of all rows.
    """

    account: str | None
    share: float

    @property
    def says(self) -> str:
        """What is wrong with a group that is too large, and what to do; empty where it is not."""
        if self.share <= LARGE:
            return ""
        if self.account is None:
            return f"One lead holds {self.share:.0%} of all snapshots: bring the history of more leads."
        return (
            f"Account {self.account}, with all that share leads with it, holds {self.share:.0%} of all snapshots, and "
            "an account stays in one fold: leave account_id empty where it names no single company, such as a mail "
            "provider or unknown."
        )


def largest_group(rows: pd.DataFrame, leads: pd.DataFrame) -> LargestGroup:
    """
    Find the group with the most rows.

    Args:
        rows: (n ≥ 1) ``lead_id``, ``group``.
        leads: ``lead_id``, ``account_id`` of each version.

    >>> versions = pd.DataFrame({"lead_id": ["a", "b", "c"], "account_id": ["x", "x", None]})
    >>> largest_group(pd.DataFrame({"lead_id": ["a", "b", "c", "b"], "group": ["a", "a", "c", "a"]}), versions)
    LargestGroup(account='x', share=0.75)
    """
    sizes = rows["group"].value_counts(sort=False).sort_index()
    members = rows.loc[rows["group"] == sizes.idxmax(), "lead_id"]
    accounts = leads.loc[leads["lead_id"].isin(members), "account_id"].value_counts(sort=False).sort_index()
    return LargestGroup(str(accounts.idxmax()) if len(accounts) else None, float(sizes.max() / sizes.sum()))


def group_leads(leads: pd.DataFrame) -> "pd.Series[str]":
    """
    Group leads by account: all leads that any version ever put into one account.

    A lead that changed accounts joins both, and so do the colleagues of either. A lead without an account is a group
    of its own.

    Args:
        leads: ``lead_id``, ``account_id`` of each version; ``account_id`` may be missing.

    Returns:
        lead id → name of its group, the first of its lead ids.

    >>> versions = pd.DataFrame({"lead_id": ["a", "b", "b", "c", "d"], "account_id": ["x", "x", "y", "y", None]})
    >>> group_leads(versions).to_dict()
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd'}
    """
    lead, names = pd.factorize(leads["lead_id"], sort=True)
    account, accounts = pd.factorize(leads["account_id"])
    named = account >= 0
    nodes = len(names) + len(accounts)
    edges = (np.ones(named.sum(), dtype=np.int8), (lead[named], len(names) + account[named]))
    component = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)[1][: len(names)]
    first = pd.Series(names.astype(str)).groupby(component).transform("first")
    return pd.Series(first.to_numpy(), index=pd.Index(names.astype(str), name="lead_id"), name="group")
