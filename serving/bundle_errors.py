"""
Why a bundle is not put in force.

RequestError
├── BundleRefusedError   422  the bundle is damaged, or cannot be used here
├── UnsignedBundleError  422  nobody signed the bundle, and settings ask for a signature
├── UntrustedBundleError 422  a key that does not count here signed the bundle
└── LargeBundleError     422  the bundle holds more of something than any model needs
"""

from models.signing import PublicKey
from serving.errors import RequestError


class BundleRefusedError(RequestError):
    """The bundle is damaged or cannot be used here; nothing of it was stored, and the scorer in force stays."""

    status = 422
    slug = "bundle-refused"
    title = "The bundle is refused"
    cause = "The bundle is damaged or cannot be used here. Nothing of it was kept, and the scorer before it goes on."
    cure = "Run `leadscore deploy` where the bundle was made, which names the fault; or export it again."


class UnsignedBundleError(RequestError):
    """Nobody signed the bundle, and settings ask for a signature."""

    status = 422
    slug = "bundle-unsigned"
    title = "The bundle is not signed"
    cause = "The bundle has no `signature.json`, so nobody vouches that its figures are those of its trees."
    cure = "Hand it over with `leadscore deploy --to URL`, which signs it; the operator may accept unsigned bundles."

    def __init__(self) -> None:
        super().__init__(
            "The bundle is unsigned, expected the signature of a trusted key: hand it over with leadscore promote or "
            "leadscore deploy, which sign it, or let the operator set LEADSCORE_UNSIGNED_BUNDLES=accept."
        )


class UntrustedBundleError(RequestError):
    """
    A key that does not count here signed the bundle.

    Args:
        signer: the key.
        is_revoked: whether the operator revoked it; else it was never trusted here.
    """

    status = 422
    slug = "bundle-untrusted"
    title = "The signature of the bundle does not count here"
    cause = "The signature fits the bundle, but its key was never trusted here, or was revoked."
    cure = (
        "The operator trusts the key that `detail` names (`leadscore keys signing --trust KEY`), or another one signs."
    )

    def __init__(self, signer: PublicKey, *, is_revoked: bool) -> None:
        mend = (
            "which was revoked here: sign it with another one (leadscore keys signing --new)"
            if is_revoked
            else f"which is not trusted here: let the operator run leadscore keys signing --trust {signer.text}"
        )
        super().__init__(f"The bundle is signed by the key {signer.id}, {mend}.")


class LargeBundleError(RequestError):
    """The bundle holds more of something than any model needs."""

    status = 422
    slug = "bundle-too-large"
    title = "The bundle holds too much"
    cause = (
        "The bundle has more trees, leaves, features, words or bytes than any model needs; `detail` has both numbers."
    )
    cure = "Train a smaller model. Nothing of the bundle was built or kept, and the scorer before it goes on."
