"""Groups: leads that may know something of each other, and so stay in one block."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def group_leads(leads: pd.DataFrame) -> "pd.Series[str]":
    """
    Put every lead into a group: all leads that any version ever put into one account.

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
