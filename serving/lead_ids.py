"""Ids that callers send: in Unicode's form NFC, and those of leads and accounts in the form of the playbook's rules."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from data.words.id_rules import NO_ID, IdForms, composed, has_wrong_checksum, in_form
from data.words.writing import IdRule
from serving.errors import InvalidError
from serving.validation_messages import PLAIN_PATTERN

WRONG_CHECKSUM = "the last three characters do not fit the others; send the id as Salesforce shows it"
_LONGEST_AS_SENT = 1000


Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN_PATTERN), AfterValidator(composed)]


def _forms(info: ValidationInfo) -> IdForms:
    return info.context if isinstance(info.context, IdForms) else IdForms()


def _lead_form(value: object, info: ValidationInfo) -> object:
    return _in_form(value, _forms(info).leads, noun="lead")


def _account_form(value: object, info: ValidationInfo) -> object:
    return None if isinstance(value, str) and value.lower() in NO_ID else _in_form(value, _forms(info).accounts)


def _in_form(value: object, rule: IdRule, *, noun: str = "account") -> object:
    """
    Return an id in the form of the playbook's rule, as the files' ids are.

    Raises:
        PydanticCustomError: its checksum is wrong, or it is a word for no id.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_AS_SENT:
        return value
    if has_wrong_checksum(value, rule):
        kind, message = "wrong_checksum", WRONG_CHECKSUM
        raise PydanticCustomError(kind, message)
    formed = in_form(value, rule)
    if formed is None and value:
        kind, message = "no_id", f"expected an id, and words such as n/a, null and none name no {noun}"
        raise PydanticCustomError(kind, message)
    return formed or ""


LeadRef = Annotated[Id, BeforeValidator(_lead_form)]
"""The id of a lead, in the form of the playbook's rule where the context of its validation is the playbook's forms."""
AccountRef = Annotated[Id | None, BeforeValidator(_account_form)]
"""The id of an account likewise; a word for no account is none."""
_ID: TypeAdapter[str] = TypeAdapter(Id)
_LEAD: TypeAdapter[str] = TypeAdapter(LeadRef)


def shown(lead_id: str) -> str:
    """
    Return an id for a message: quoted if it is well formed, without its content if it is not.

    >>> shown("L-1"), shown("x" * 300)
    ("'L-1'", 'with this id')
    """
    return f"{lead_id!r}" if is_id(lead_id) else "with this id"


def as_id(value: object) -> str | None:
    """Return something as the id that it is; None if it cannot be one."""
    try:
        return _ID.validate_python(value, strict=True)
    except ValidationError:
        return None


def as_lead_id(value: object, forms: IdForms) -> str | None:
    """
    Return something as the id of a lead, in the form of the playbook's rule; None if it cannot be one.

    >>> as_lead_id(" ANN@x.org", IdForms(leads="casefold")), as_lead_id("n/a", IdForms())
    ('ann@x.org', None)
    """
    try:
        return _LEAD.validate_python(value, strict=True, context=forms)
    except ValidationError:
        return None


def require_checksum(lead_id: str, forms: IdForms) -> None:
    """
    Refuse the id of a lead whose checksum is wrong, since it is a damaged id and no unknown lead's.

    Raises:
        InvalidError: it is.
    """
    if has_wrong_checksum(lead_id, forms.leads):
        message = f"lead_id: {WRONG_CHECKSUM}."
        raise InvalidError(message)


def is_id(value: object) -> bool:
    """Return whether something can be an id."""
    return as_id(value) is not None
