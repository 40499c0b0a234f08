"""Signing: whoever puts a version in the champion's place vouches that its figures are those of its trees."""

from pathlib import Path

from models.champion import MANIFEST
from models.errors import SignatureError
from models.signing import SIGNATURE, PublicKey, key_file, own_key, sign_folder, signer_of
from training.errors import TrainingError
from training.registry.mlflow_registry import Registry
from training.registry.run_folders import report_folder
from training.reporting.report_folder import renew_card


def sign_bundle(registry: Registry, bundle: Path) -> tuple[PublicKey, str]:
    """
    Sign a bundle with this machine's key, which is made if there is none, and say so on its model card.

    Args:
        registry: its home holds the key, and its models folder the report with the card.
        bundle: the folder of a bundle that was loaded, so that it is whole.

    Returns:
        The public key, and what could not be done although the bundle is signed; empty where everything was.

    Raises:
        SigningKeyError: the key or the signature cannot be read or written.
    """
    key = own_key(key_file(registry.home.registry), create=True)
    assert key is not None  # noqa: S101 - it was to be created
    if _signer(bundle) != key.public:
        sign_folder(bundle, key)
    place = report_folder(registry.models, bundle.name)
    if not place.exists():  # the bundle came without its report
        return key.public, ""
    try:
        renew_card(place, signed_by=key.public.id)
    except TrainingError as error:
        return key.public, f"The model card does not say yet who signed the model. {error}"
    return key.public, ""


def _signer(bundle: Path) -> PublicKey | None:
    """Return who signed a bundle so far; a signature that is damaged counts as none, since it is replaced."""
    try:
        return signer_of({name: (bundle / name).read_bytes() for name in (MANIFEST, SIGNATURE)})
    except (OSError, SignatureError):
        return None
