"""What may still hold something of an erased lead, until when, and what to do; and the erasure receipt."""

from collections.abc import Mapping, Sequence
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
        "Files written to a place of your choice: scores, reports, learned rules, copies of exports",
        _UNTIL_YOU,
        "Delete them, or write them again.",
    ),
    RemainingCopy(
        "Models that learned from the lead, among thousands of others",
        "until they are replaced by one that is trained after the erasure",
        "Nothing: a bundle holds no id, and of single leads only feature values without a name (golden.json and,"
        " in MLflow, input_example.json). Train again if the person asks for that as well.",
    ),
]
_FILES = RemainingCopy(
    "Imported tables, training sets, reports, MLflow's artefacts and exports, on machines that trained or exported",
    "until `leadscore erase` is run there",
    "Run `leadscore erase LEAD` on each of them.",
)


def copies_in_files() -> list[RemainingCopy]:
    """Return what is on disks, which the store cannot reach."""
    return [_FILES, *_ALWAYS]


def copies_left_here(files: LeadFiles, exports: Mapping[str, str]) -> list[RemainingCopy]:
    """
    Return what is left after the files of this machine were searched.

    Args:
        files: what became of the files that were made of the lead.
        exports: the exports that may still hold the lead, with why.
    """
    copies = [
        RemainingCopy(f"{path} {why}", "until you take care of it", "Run the command again, or delete it.")
        for path, why in files.left.items()
    ]
    copies += [
        RemainingCopy(f"The export {path}, which {why}", _UNTIL_YOU, "Export there again: it takes the lead out.")
        for path, why in exports.items()
    ]
    return [*copies, *_ALWAYS]


def erasure_receipt(
    lead_id: str,
    erasure: Erasure,
    *,
    held: Sequence[RemainingCopy],
    deleted: Sequence[str] = (),
    rewritten: Sequence[str] = (),
) -> dict[str, Any]:
    """
    Return the erasure receipt; it repeats the id, since it only goes to whoever requested the erasure.

    Args:
        lead_id: as it was requested.
        erasure: what happened to the store.
        held: what else may still hold something.
        deleted: caches that were deleted.
        rewritten: files that were rewritten without the lead.
    """
    return {
        "lead_id": lead_id,
        **erasure.as_json(),
        "files": {"deleted": list(deleted), "rewritten": list(rewritten)},
        "held": [copy.as_json() for copy in (*erasure.held, *held)],
    }
