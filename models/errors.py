"""
What can go wrong in models, as a tree.

ModelError               a bundle or a scorer cannot be trusted
├── BundleError          a bundle on disk is not what its manifest describes
│   └── SignatureError   its signature is not one, or is of another bundle
├── StructureError       trees say something that cannot be a model
│   └── LimitError       there is more of something than any model needs
├── SigningKeyError      a signing key cannot be read or written
├── BoosterError         a fitted booster uses something these trees cannot hold
└── RowsError            rows do not have the columns the trees were trained on
"""

import reprlib

from data.errors import LeadscoreError


class ModelError(LeadscoreError):
    """A bundle or a scorer cannot be trusted."""


class BundleError(ModelError):
    """A bundle on disk is not what its manifest describes."""


class SignatureError(BundleError):
    """The signature beside a bundle is not one, or is of another bundle."""


class SigningKeyError(ModelError):
    """A signing key cannot be read or written."""


class StructureError(ModelError):
    """Trees say something that cannot be a model."""

    def __init__(self, *, where: str, found: object, expected: str) -> None:
        """
        Name the place, what was found there and what was expected.

        >>> print(StructureError(where="tree 3, leaf_value", found="a word", expected="numbers"))
        tree 3, leaf_value: found 'a word', expected numbers; export the model again.
        """
        super().__init__(f"{where}: found {_brief(found)}, expected {expected}; export the model again.")
        self.where = where
        self.found = found
        self.expected = expected

    def within(self, where: str) -> "StructureError":
        """
        Return the same error with the larger place it happened in.

        >>> print(StructureError(where="feature", found=-1, expected="0 or more").within("tree 3"))
        tree 3, feature: found -1, expected 0 or more; export the model again.
        """
        place = f"{where}, {self.where}"
        return StructureError(where=place, found=self.found, expected=self.expected)


class LimitError(StructureError):
    """There is more of something than any model needs."""

    def __init__(self, *, where: str, found: int, most: int) -> None:
        """
        Name what was counted, what was found and the limit; nothing of it is the bundle's own text.

        >>> print(LimitError(where="leaves", found=240_000, most=32_768))
        leaves: found 240,000, expected at most 32,768; make the model smaller.
        """
        ModelError.__init__(self, f"{where}: found {found:,}, expected at most {most:,}; make the model smaller.")
        self.where, self.found, self.expected = where, found, f"at most {most:,}"
        self._count, self._most = found, most

    def within(self, where: str) -> "LimitError":
        """Return the same error with the larger place it happened in."""
        return LimitError(where=f"{where}, {self.where}", found=self._count, most=self._most)


class BoosterError(ModelError):
    """A fitted booster uses something these trees cannot hold."""

    def __init__(self, *, found: str, expected: str, mend: str) -> None:
        """
        Name what the booster has, what is supported and how to train it so.

        >>> print(BoosterError(found="3 classes", expected="one margin", mend="train a binary goal"))
        The booster has 3 classes, expected one margin: train a binary goal.
        """
        super().__init__(f"The booster has {found}, expected {expected}: {mend}.")


class RowsError(ModelError):
    """Rows do not have the columns the trees were trained on."""

    def __init__(self, *, shape: tuple[int, ...], columns: int) -> None:
        """
        Name the shape of the rows and the expected one.

        >>> print(RowsError(shape=(2, 3), columns=5))
        Rows have shape (2, 3), expected (n, 5): pass the features in the order of training.
        """
        super().__init__(
            f"Rows have shape {shape}, expected (n, {columns}): pass the features in the order of training."
        )


_LONGEST = 60
_MOST_PARTS = 20
_SHORTENED = reprlib.Repr()
_SHORTENED.maxlist = _SHORTENED.maxtuple = _SHORTENED.maxdict = _SHORTENED.maxset = _MOST_PARTS
_SHORTENED.maxstring = _SHORTENED.maxother = _SHORTENED.maxlong = 2 * _LONGEST


def _brief(found: object) -> str:
    """Show what was found in at most 60 signs; neither a huge list nor a digit string of thousands is spelt out."""
    try:
        text = _SHORTENED.repr(found)
    except ValueError:
        text = "a huge number"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
