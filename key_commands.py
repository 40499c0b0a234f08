"""The verbs of keys: API keys, which let programs call the service, and the keys that sign bundles."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.verb_options import ExpiresDays, KeyId, Plain, Ranges
from data.verbs import verb

if TYPE_CHECKING:
    from data.command_line import Context, VerbResult

keys = typer.Typer(no_args_is_help=True)


@verb(keys, "Commands", name="create")
def create_key(
    context: "Context",
    name: Annotated[str, typer.Argument(help="Who will use it, such as crm.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="What it may do: events:write, scores:read, routes:write, models:write, or admin for everything. "
            "May be repeated."
        ),
    ],
    expires_days: ExpiresDays = None,
    ranges: Ranges = None,
    plain: Plain = False,
) -> "VerbResult":
    """Create a key; its secret is shown only now."""
    from serving.verbs.manage_keys import create

    return create(context.workspace, name, scopes=scope, expires_days=expires_days, ranges=ranges).printed(plain=plain)


@verb(keys, "Commands", name="list")
def list_keys(context: "Context") -> "VerbResult":
    """List all keys, without their secrets."""
    from serving.verbs.manage_keys import list_keys as run

    return run(context.workspace)


@verb(keys, "Commands", name="rotate")
def rotate_key(
    context: "Context",
    key_id: KeyId,
    overlap_hours: Annotated[float, typer.Option(metavar="H", help="Hours for which the old key still works.")] = 24,
    plain: Plain = False,
) -> "VerbResult":
    """Replace a key by a new one; both work until the overlap is over."""
    from serving.verbs.manage_keys import rotate

    return rotate(context.workspace, key_id, overlap_hours=overlap_hours).printed(plain=plain)


@verb(keys, "Commands", name="revoke")
def revoke_key(context: "Context", key_id: KeyId) -> "VerbResult":
    """Revoke a key at once."""
    from serving.verbs.manage_keys import revoke

    return revoke(context.workspace, key_id)


@verb(keys, "Commands", name="signing")
def signing_key(
    context: "Context",
    new: Annotated[bool, typer.Option("--new", help="Make another key; the one before stays trusted.")] = False,
    trust: Annotated[
        str | None, typer.Option(metavar="PUBLIC_KEY", help="Let the signatures of another machine's key count.")
    ] = None,
    revoke: Annotated[
        str | None, typer.Option(metavar="KEY_ID", help="Let the signatures of a key count no longer.")
    ] = None,
) -> "VerbResult":
    """Make the key that signs bundles if there is none, trust it in the store, and list the trusted ones."""
    from serving.verbs.manage_signing_keys import manage_signing_keys as run

    return run(context.workspace, new=new, trust=trust, revoke=revoke)
