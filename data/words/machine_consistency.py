"""The consistency of a playbook's rules about machines: each kind known, and each with one meaning."""

from collections.abc import Iterator

from data.words.business import Business
from data.words.located_yaml import Mistake, YamlFile, nearest
from data.words.machine_rules import MachineRule


def machine_mistakes(business: Business, file: YamlFile) -> Iterator[Mistake]:
    """Yield the mistakes in the rules about machines, each with its line."""
    for index, rule in enumerate(business.machines):
        yield from _unknown_kinds(business, rule, index=index, file=file)
        yield from _chains(business, rule, index=index, file=file)
        yield from _two_meanings(business.machines[:index], rule, index=index, file=file)
        yield from _lost_content(business, rule, index=index, file=file)


def _unknown_kinds(business: Business, rule: MachineRule, *, index: int, file: YamlFile) -> Iterator[Mistake]:
    named: list[tuple[tuple[str | int, ...], str]] = [(("kinds", at), kind) for at, kind in enumerate(rule.kinds)]
    named += [(("become",), rule.become), *([(("after",), rule.after)] if rule.after is not None else [])]
    for where, kind in named:
        if kind not in business.activities:
            message = f"unknown activity {kind}; {nearest(kind, business.activities)}"
            yield file.mistake(("machines", index, *where), message)


def _chains(business: Business, rule: MachineRule, *, index: int, file: YamlFile) -> Iterator[Mistake]:
    """Yield kinds that depend on what another activity became, which a service no longer sees as it was sent."""
    sent = {kind for each in business.machines for kind in each.kinds}
    made = {each.become for each in business.machines}
    if rule.become in sent:
        message = f"{rule.become} is among the kinds of a rule; give machines a kind of their own under activities."
        yield file.mistake(("machines", index, "become"), message)
    if rule.after in sent | made:
        message = f"{rule.after} is itself a kind that rules change or make; name a kind that no rule touches."
        yield file.mistake(("machines", index, "after"), message)


def _two_meanings(
    earlier: tuple[MachineRule, ...], rule: MachineRule, *, index: int, file: YamlFile
) -> Iterator[Mistake]:
    """Yield rules that share a kind and not what it becomes, or the other way round: bursts would be ambiguous."""
    for other in earlier:
        shared = sorted(set(rule.kinds) & set(other.kinds))
        if shared and rule.become != other.become:
            message = f"{shared[0]} becomes {other.become} by an earlier rule and {rule.become} by this one; keep one."
            yield file.mistake(("machines", index, "become"), message)
            return
        if rule.become == other.become and set(rule.kinds) != set(other.kinds):
            message = (
                f"{rule.become} is made of {', '.join(other.kinds)} by an earlier rule and of {', '.join(rule.kinds)}"
                " by this one; name the same kinds in both, or give each its own become."
            )
            yield file.mistake(("machines", index, "kinds"), message)
            return


def _lost_content(business: Business, rule: MachineRule, *, index: int, file: YamlFile) -> Iterator[Mistake]:
    """Yield rules whose new kind could not carry the subject or the value of the old one."""
    new = business.activities.get(rule.become)
    for place, name in enumerate(rule.kinds):
        old = business.activities.get(name)
        if new is None or old is None:
            continue
        where = ("machines", index, "kinds", place)
        if not new.subject and (old.subject or set(old.subjects) - set(new.subjects)):
            message = f"{rule.become} cannot carry the subjects of {name}; set subject: true for {rule.become}."
            yield file.mistake(where, message)
        if old.value is not None and new.value != old.value:
            message = f"{rule.become} does not carry the value of {name}; set value: {old.value} for {rule.become}."
            yield file.mistake(where, message)
