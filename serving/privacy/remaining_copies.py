"""What may still hold something of an erased lead, until when, and what to do; and the erasure receipt."""

from collections.abc import Sequence
from typing import Any

from serving.privacy.erasure import Erasure, RemainingCopy
from serving.privacy.files_of_lead import LeadFiles

_UNTIL_YOU = "until you delete it there"
_ALWAYS = [
    RemainingCopy(
        "The systems that send leads, and the exports that history is read from",
        _UNTIL_YOU,
        "Delete the lead there too: history that is imported for training is read from these exports.",
    ),
    RemainingCopy(
        "Files that were written where somebody asked: scores, reports, learned rules, copies of exports",
        _UNTIL_YOU,
        "Delete them, or write them anew.",
    ),
    RemainingCopy(
        "Models that learned from the lead, among thousands of others",
        "until they are replaced by one that is trained after the erasure",
        "Nothing: a bundle holds no id, and of single leads only feature values without a name (golden.json and,"
        " in MLflow, input_example.json). Train anew if the person asks for that as well.",
    ),
]
_FILES = RemainingCopy(
    "Imported tables, training sets, reports, MLflow's artefacts and exports, on machines that trained or exported",
    "until `leadscore erase` is run there",
    "Run `leadscore erase LEAD` on each of them.",
)


def copies_in_files() -> list[RemainingCopy]:
    """Give what the store cannot reach: all that is on disks."""
    return [_FILES, *_ALWAYS]


def copies_left_here(traces: LeadFiles, pending_exports: Sequence[str]) -> list[RemainingCopy]:
    """Give what is left once the files of this machine were gone through."""
    found = [
        RemainingCopy(
            f"{path} names the lead, or is being written", "until you see to it", "Run the command again, or delete it."
        )
        for path in traces.left
    ]
    found += [
        RemainingCopy(
            f"The export {path}, which is not on this machine", _UNTIL_YOU, "Export there again: it takes the lead out."
        )
        for path in pending_exports
    ]
    return [*found, *_ALWAYS]


def erasure_receipt(
    lead_id: str,
    erasure: Erasure,
    *,
    held: Sequence[RemainingCopy],
    deleted: Sequence[str] = (),
    rewritten: Sequence[str] = (),
) -> dict[str, Any]:
    """
    Write the erasure receipt; only here, where it goes to whoever asked, does it repeat the id.

    Args:
        lead_id: as it was asked for.
        erasure: what happened to the store.
        held: what may still hold something, beside the store.
        deleted: caches that were deleted.
        rewritten: files that were written anew without the lead.
    """
    return {
        "lead_id": lead_id,
        **erasure.as_json(),
        "files": {"deleted": list(deleted), "rewritten": list(rewritten)},
        "held": [one.as_json() for one in (*erasure.held, *held)],
    }
