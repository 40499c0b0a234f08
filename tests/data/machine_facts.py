"""Activities of machines for tests: rules, activities as files, and the definition in plain Python."""

from datetime import timedelta

from hypothesis import strategies as st

from data.instants import from_us, parse

NOON_US = parse("2026-05-01T12:00:00Z")
SECOND_US = 1_000_000
WORDS = {"one": "click", "many": "clicks", "did": "clicked"}
ACTIVITIES = {
    "view": {"did": "looked", "one": "view", "many": "views", "subject": True},
    **{kind: {**WORDS, "subject": True} for kind in ("click", "delivered", "machine_click")},
}
BURST = {"kinds": ["click"], "at_least": 3, "within_s": 10, "become": "machine_click"}
ANSWER = {"kinds": ["click"], "after": "delivered", "within_s": 1, "become": "machine_click"}


def activity(name, kind="click", at=0.0, known=None, lead="ann"):
    """An activity so many seconds after noon; known when it occurred unless said otherwise."""
    occurred_at = NOON_US + round(at * SECOND_US)
    known_at = occurred_at if known is None else NOON_US + round(known * SECOND_US)
    return {"id": name, "lead": lead, "kind": kind, "occurred_at": occurred_at, "known_at": known_at}


def as_file(activities):
    head = "id,lead_id,kind,occurred_at,known_at\n"
    instants = [[from_us(each[name]).isoformat() for name in ("occurred_at", "known_at")] for each in activities]
    lines = [
        ",".join([each["id"], each["lead"], each["kind"], *times])
        for each, times in zip(activities, instants, strict=True)
    ]
    return head + "\n".join(lines) + "\n"


def oracle(activities, rules):
    """Each activity's kind by the definition: every other one is looked at for each."""

    def order(one):
        return (one["occurred_at"], one["known_at"], one["id"])

    def kind_of(one):
        for rule in rules:
            window = timedelta(seconds=rule["within_s"]) / timedelta(microseconds=1)
            near = [
                other
                for other in activities
                if other["lead"] == one["lead"]
                and 0 <= one["occurred_at"] - other["occurred_at"] <= window
                and other["known_at"] <= one["known_at"]
            ]
            if one["kind"] not in rule["kinds"]:
                continue
            if "after" in rule:
                met = any(other["kind"] == rule["after"] for other in near)
            else:
                counted = {*rule["kinds"], rule["become"]}
                met = sum(other["kind"] in counted and order(other) <= order(one) for other in near) >= rule["at_least"]
            if met:
                return rule["become"]
        return one["kind"]

    return {one["id"]: kind_of(one) for one in activities}


@st.composite
def histories(draw):
    """Activities of two leads within half a minute, often at the same instant, known in any order."""
    size = draw(st.integers(1, 14))
    return [
        activity(
            f"a{number}",
            kind=draw(st.sampled_from(["click", "click", "click", "delivered", "machine_click", "view"])),
            at=(occurred := draw(st.integers(0, 30)) / draw(st.sampled_from([1, 2]))),
            known=occurred + draw(st.integers(0, 20)),
            lead=draw(st.sampled_from(["ann", "bob"])),
        )
        for number in range(size)
    ]


RULE_LISTS = st.lists(
    st.one_of(
        st.builds(
            lambda n, s: {**BURST, "at_least": n, "within_s": s}, st.integers(2, 5), st.sampled_from([1, 2.5, 10])
        ),
        st.builds(lambda s: {**ANSWER, "within_s": s}, st.sampled_from([0.5, 1, 3])),
    ),
    min_size=1,
    max_size=3,
)
