"""The operations of the leadscore API, each as the requests it makes and the answer it returns."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, cast

from leadscore_client.answers import (
    DossierDict,
    ErasureDict,
    HandoverDict,
    ItemResultDict,
    MergeDict,
    ModelDict,
    QuarantinedFactDict,
    ReadinessDict,
    ReceiptDict,
    RejectedItemDict,
    ReplayDict,
    ScoreChangeDict,
    ScoreDict,
    StoredScoreDict,
    UnknownLeadDict,
)
from leadscore_client.batching import Item, encode_item, id_batches, item_batches
from leadscore_client.call import Call, encode, instant, lead_path, segment
from leadscore_client.operations import PagedList, Plan, listing, operation
from leadscore_client.sending import SendResult

Instant = str | datetime
Role = Literal["champion", "shadow"]


def send_leads(items: Iterable[Item]) -> Plan[SendResult]:
    """
    Create or update leads, in batches.

    Args:
        items: dicts as ``POST /v1/leads`` takes them; instants may be datetimes with an offset.

    Returns:
        One result per item, in order; ``refused`` lists those that were not stored.

    Raises:
        InvalidItemError: an item cannot be written as JSON. Batches before it are stored: send all items again.
        ProblemError: the service refused a whole batch.
        UnreachableError: it did not answer in time.
    """
    return _send("/v1/leads", items)


def send_activities(items: Iterable[Item]) -> Plan[SendResult]:
    """Record activities, in batches; everything else as in ``send_leads``."""
    return _send("/v1/activities", items)


def send_outcomes(items: Iterable[Item]) -> Plan[SendResult]:
    """Record stages that leads reached, in batches; everything else as in ``send_leads``."""
    return _send("/v1/outcomes", items)


def merge(lead_id: str, into: str) -> Plan[MergeDict]:
    """Merge a lead into another one, which stands for the same person."""
    body = encode({"into": into})
    return cast("MergeDict", (yield Call("POST", lead_path(lead_id, "/merge"), body=body, changes=True)))


def quarantine(limit: int | None = None) -> PagedList[QuarantinedFactDict]:
    """Iterate over quarantined facts, newest first: their instant lies ahead of the service's clock."""
    return PagedList(Call("GET", "/v1/quarantine"), "quarantine", limit)


def rejected_items(limit: int | None = None, *, since: Instant | None = None) -> PagedList[RejectedItemDict]:
    """Iterate over what this key sent in the last 7 days and was not stored, newest first, with the reasons."""
    return PagedList(Call("GET", "/v1/rejected", {"since": instant(since)}), "rejected", limit)


def release(number: int) -> Plan[ItemResultDict]:
    """Release a fact from quarantine."""
    path = f"/v1/quarantine/{number}/release"
    return cast("ItemResultDict", (yield Call("POST", path, body=b"{}", changes=True)))


def score(lead_id: str, as_of: Instant | None = None, *, reasons: int | None = None) -> Plan[ScoreDict]:
    """
    Score a lead.

    Args:
        lead_id: its id; the id of a lead that was merged into another one returns the score of the other.
        as_of: a past instant, to score with what was known then; default: now.
        reasons: how many reasons to word; default: as many as the service words by itself.

    Raises:
        ProblemError: with status 404 where the lead is unknown, or was at that instant.
    """
    query = {"as_of": instant(as_of), "reasons": reasons}
    return cast("ScoreDict", (yield Call("GET", lead_path(lead_id, "/score"), query)))


def scores(lead_ids: Iterable[str], as_of: Instant | None = None) -> Plan[list[ScoreDict | UnknownLeadDict]]:
    """
    Score leads in batches, all as of one instant.

    Returns:
        One answer per id, in order; that of an unknown lead has an ``error`` and no ``score``.
    """
    answers: list[ScoreDict | UnknownLeadDict] = []
    at = instant(as_of)
    for batch in id_batches(lead_ids):
        answer = yield Call("POST", "/v1/scores", {"as_of": at}, encode({"lead_ids": batch}))
        at = at or answer["as_of"]
        answers.extend(answer["scores"])
    return answers


def preview(lead: Item, activities: Iterable[Item] = (), *, reasons: int | None = None) -> Plan[ScoreDict]:
    """Score a lead and activities without storing them."""
    encoded = b",".join(encode_item(activity, index) for index, activity in enumerate(activities))
    body = b'{"lead":%b,"activities":[%b]}' % (encode_item(lead, 0), encoded)
    return cast("ScoreDict", (yield Call("POST", "/v1/scores/preview", {"reasons": reasons}, body)))


def worklist(
    limit: int | None = None, *, grade: Literal["A", "B", "C", "D"] | None = None, since: Instant | None = None
) -> PagedList[StoredScoreDict]:
    """
    Iterate over the stored scores of open leads, best first; scores older than they should be are marked stale.

    Args:
        limit: how many to read at most; default: all.
        grade: only leads of this grade.
        since: only scores as of this instant or later.
    """
    return PagedList(Call("GET", "/v1/scores", {"grade": grade, "since": instant(since)}), "scores", limit)


def handovers(limit: int | None = None, *, since: Instant | None = None) -> PagedList[HandoverDict]:
    """Iterate over the leads that were handed over, newest first; ``since`` keeps those from then on."""
    return PagedList(Call("GET", "/v1/routes", {"since": instant(since)}), "routes", limit)


def receipts(lead_id: str, limit: int | None = None) -> PagedList[ReceiptDict]:
    """Iterate over the receipts of a lead's scores, newest first; a score that did not change has one receipt."""
    return PagedList(Call("GET", lead_path(lead_id, "/receipts")), "receipts", limit)


def replay(receipt_id: str) -> Plan[ReplayDict]:
    """Compute the score of a receipt again from what was stored with it, and compare."""
    return cast("ReplayDict", (yield Call("GET", f"/v1/receipts/{segment(receipt_id)}/replay")))


def changes(lead_id: str, since: Instant) -> Plan[ScoreChangeDict]:
    """Explain what changed in a lead's score since an instant, in points that add up to the difference."""
    return cast("ScoreChangeDict", (yield Call("GET", lead_path(lead_id, "/changes"), {"since": instant(since)})))


def model() -> Plan[ModelDict]:
    """Return which scorer answers, and how its shadow compares."""
    return cast("ModelDict", (yield Call("GET", "/v1/model")))


def deploy_model(packed: bytes, *, role: Role = "champion", version: str | None = None) -> Plan[ModelDict]:
    """
    Deploy a packed bundle, which the service verifies before it answers with it.

    Args:
        packed: the bundle's files, as ``leadscore deploy`` packs them.
        role: ``shadow`` scores the same leads, and its scores are only recorded.
        version: the label that the registry has for it.
    """
    query = {"role": role, "version": version}
    put = Call("PUT", "/v1/model", query, packed, changes=True, media_type="application/octet-stream")
    return cast("ModelDict", (yield put))


def remove_shadow() -> Plan[ModelDict]:
    """Remove the shadow, if there is one."""
    return cast("ModelDict", (yield Call("DELETE", "/v1/model", {"role": "shadow"}, changes=True)))


def erase(lead_id: str) -> Plan[ErasureDict]:
    """Erase all that is stored about the person behind a lead, and return the erasure receipt."""
    return cast("ErasureDict", (yield Call("DELETE", lead_path(lead_id))))


def dossier(lead_id: str) -> Plan[DossierDict]:
    """Return all that is stored about a lead, and the logic of its score in plain words."""
    return cast("DossierDict", (yield Call("GET", lead_path(lead_id, "/dossier"))))


def ready() -> Plan[ReadinessDict]:
    """Return whether the service can answer, and whether a stand-in for the model does."""
    return cast("ReadinessDict", (yield Call("GET", "/health/ready")))


def _send(path: str, items: Iterable[Item]) -> Plan[SendResult]:
    results: list[ItemResultDict] = []
    for body in item_batches(items):
        answer = yield Call("POST", path, body=body, changes=True)
        results.extend(answer["results"])
    return SendResult(tuple(results))


class Api:
    """The methods that both clients have."""

    send_leads = operation(send_leads)
    send_activities = operation(send_activities)
    send_outcomes = operation(send_outcomes)
    merge = operation(merge)
    quarantine = listing(quarantine)
    rejected_items = listing(rejected_items)
    release = operation(release)

    score = operation(score)
    scores = operation(scores)
    preview = operation(preview)
    worklist = listing(worklist)
    handovers = listing(handovers)
    receipts = listing(receipts)
    replay = operation(replay)
    changes = operation(changes)

    model = operation(model)
    deploy_model = operation(deploy_model)
    remove_shadow = operation(remove_shadow)

    erase = operation(erase)
    dossier = operation(dossier)
    ready = operation(ready)
