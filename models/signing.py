"""
Signatures: who vouches that the facts of a bundle are those of its trees.

Hashes tell that a bundle is whole, and golden rows that its trees give the receipts it names; whoever changes the trees
can recompute both. A signature cannot be recomputed without the private key. It is Ed25519 (RFC 8032) over the sha256
of the manifest, which holds the facts and names the sha256 of every other file, and lies beside them as
``signature.json``. A signature that does not fit makes a bundle unusable; which keys count is for the service to say.
"""

import base64
import binascii
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from data.atomic_files import write_whole
from models.champion import MANIFEST
from models.checked_json import fields, loads
from models.errors import ModelError, SignatureError, SigningKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE = "signature.json"
KEY_FILE = "signing.key"
FORMAT = "leadscore-signature-1"
_VARIABLE = "LEADSCORE_SIGNING_KEY_FILE"
_PREFIX = "ed25519:"
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class PublicKey:
    """
    The public half of a signing key.

    Attributes:
        content: 32 bytes.

    >>> PublicKey(bytes(32)).text
    'ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    >>> PublicKey.of(PublicKey(bytes(32)).text).id
    '66687aadf862bd77'
    """

    content: bytes

    @property
    def id(self) -> str:
        """A short name for it: the start of its sha256."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The key as settings and signatures hold it."""
        return _PREFIX + base64.b64encode(self.content).decode("ascii")

    @classmethod
    def of(cls, text: object) -> Self:
        """
        Read a key.

        Raises:
            SigningKeyError: it is none.
        """
        content = _decoded(text, _PREFIX, _KEY_BYTES)
        if content is None:
            message = "this is no public key: expected ed25519: and 44 signs, as leadscore keys signing prints it."
            raise SigningKeyError(message)
        return cls(content)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, which never leaves its machine; its public half says whose signatures are its own."""

    private: "Ed25519PrivateKey"

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.private.public_key().public_bytes_raw())

    def sign(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the files of a bundle with a signature, in place of one that was there."""
        value = self.private.sign(_signed(files))
        content = {"format": FORMAT, "key": self.public.text, "signature": base64.b64encode(value).decode("ascii")}
        return {**files, SIGNATURE: json.dumps(content, sort_keys=True).encode()}


def signer_of(files: Mapping[str, bytes]) -> PublicKey | None:
    """
    Return who signed a bundle; None if nobody did.

    Args:
        files: contents by name, with the manifest; no other file is looked into.

    Raises:
        SignatureError: the signature is not one, or is of another manifest.
    """
    if SIGNATURE not in files:
        return None
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - training and serving install it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    key, value = _read(files[SIGNATURE])
    try:
        Ed25519PublicKey.from_public_bytes(key.content).verify(value, _signed(files))
    except InvalidSignature:
        message = f"{SIGNATURE} is of another bundle, or the manifest was changed: export and promote the bundle again."
        raise SignatureError(message) from None
    return key


def sign_folder(folder: Path, key: SigningKey) -> None:
    """
    Write a signature beside the files of a bundle, which stay as they are.

    Raises:
        SigningKeyError: it cannot be written.
    """
    with _errors_as_sentences(folder):
        files = {MANIFEST: (folder / MANIFEST).read_bytes()}
        write_whole(folder / SIGNATURE, key.sign(files)[SIGNATURE])


def key_file(registry: Path) -> Path:
    """Return where this machine's private key lies: where ``LEADSCORE_SIGNING_KEY_FILE`` says, or in the registry."""
    named = os.environ.get(_VARIABLE)
    return Path(named) if named else registry / KEY_FILE


def own_key(file: Path, *, create: bool) -> SigningKey | None:
    """
    Return this machine's signing key; None if it has none and shall not create one.

    Args:
        file: as given by `key_file`.
        create: whether to create one where there is none.

    Raises:
        SigningKeyError: the file cannot be read or written, is no key, or can be read by others.
    """
    with _errors_as_sentences(file):
        if not file.exists():
            if not create:
                return None
            _write(file, replace=False)
        if file.stat().st_mode & _OTHERS:
            message = f"{file} can be read by others, so it proves nothing: run leadscore keys signing --new."
            raise SigningKeyError(message)
        key = _loaded(file)
        if not _public(file).exists():
            _publish(file, key)
        return key


def new_key(file: Path) -> SigningKey:
    """
    Replace this machine's signing key; what it signed stays signed by the key before.

    Raises:
        SigningKeyError: the file cannot be written.
    """
    with _errors_as_sentences(file):
        _write(file, replace=True)
        return _loaded(file)


def own_public_key(file: Path) -> PublicKey | None:
    """
    Return the public half that lies beside the private key, for users who may not read that; None if there is none.

    Raises:
        SigningKeyError: it cannot be read, or is no key.
    """
    place = _public(file)
    with _errors_as_sentences(place):
        return PublicKey.of(place.read_text(encoding="utf-8").strip()) if place.exists() else None


def _read(content: bytes) -> tuple[PublicKey, bytes]:
    """Return key and signature out of the file."""
    try:
        given = fields(loads(content.decode("utf-8", "replace")), SIGNATURE, ("format", "key", "signature"))
        key, value = PublicKey.of(given["key"]), _decoded(given["signature"], "", _SIGNATURE_BYTES)
    except ModelError:
        given, key, value = {}, PublicKey(b""), None
    if value is None or given["format"] != FORMAT:
        message = f"{SIGNATURE} is no signature: remove it, or promote the bundle again."
        raise SignatureError(message)
    return key, value


def _decoded(text: object, prefix: str, size: int) -> bytes | None:
    """Return bytes written in base64 after a prefix; None if it is not exactly so many."""
    if not isinstance(text, str) or not text.startswith(prefix):
        return None
    try:
        content = base64.b64decode(text.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return None
    # A last sign of base64 has bits to spare, so that several texts would name one key.
    is_canonical = base64.b64encode(content).decode("ascii") == text.removeprefix(prefix)
    return content if len(content) == size and is_canonical else None


def _signed(files: Mapping[str, bytes]) -> bytes:
    """Return what is signed: the manifest's hash under a name of its own, so that it can mean nothing else."""
    return f"{FORMAT}\n{hashlib.sha256(files.get(MANIFEST, b'')).hexdigest()}\n".encode()


def _write(file: Path, *, replace: bool) -> None:
    """Create a key in a file that only its owner reads, whole or not at all, and its public half beside it."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - training and serving install it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{uuid.uuid4().hex[:12]}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(pem)
            opened.flush()
            os.fsync(opened.fileno())
        if replace:
            draft.replace(file)
        else:
            _link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    _publish(file, _loaded(file))


def _publish(file: Path, key: SigningKey) -> None:
    """Write the public half beside the private one."""
    write_whole(_public(file), f"{key.public.text}\n")


def _public(file: Path) -> Path:
    return file.with_suffix(".pub")


def _link(draft: Path, file: Path) -> None:
    """Put a draft in place unless another process was faster; its key is the machine's then."""
    try:
        os.link(draft, file)
    except FileExistsError:
        return


def _loaded(file: Path) -> SigningKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - training and serving install it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        message = f"{file} is no Ed25519 key in PEM: bring it back from a backup, or leadscore keys signing --new."
        raise SigningKeyError(message)
    return SigningKey(private)


@contextmanager
def _errors_as_sentences(place: Path) -> Iterator[None]:
    """Turn an error of the disk in the block into one sentence."""
    try:
        yield
    except OSError as error:
        message = (
            f"{place} cannot be read or written ({error.strerror or error}), which signing needs: allow it, or name "
            f"another file in {_VARIABLE}."
        )
        raise SigningKeyError(message) from None
