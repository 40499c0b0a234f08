"""The replay of the made-up evaluation: participants, their days, and the leads that only one of two called."""

from datetime import date, timedelta


def around(value, half, low=None, high=None):
    """Give a number with an interval of so much on either side."""
    return {
        "value": value,
        "low": round(value - half, 5) if low is None else low,
        "high": round(value + half, 5) if high is None else high,
    }


def identity(name, kind, version="", fingerprint=""):
    return {"name": name, "kind": kind, "version": version, "fingerprint": fingerprint}


CONTENDERS = (
    (identity("demo", "model", "3", "a1b2c3d4e5f6a7b8"), (0.873, 0.2564, 0.699)),
    (identity("marketing rules", "rules", "1", "99aa88bb77cc66dd"), (0.800, 0.3043, 0.512)),
    (identity("champion demo 2", "model", "2", "0f1e2d3c4b5a6978"), (0.861, 0.2631, 0.674)),
    (identity("learned rules", "learned rules", "1", "5566778899aabbcc"), (0.842, 0.2793, 0.627)),
    (identity("logistic regression", "baseline"), (0.858, 0.2655, 0.661)),
    (identity("base rate", "baseline"), (0.5, 0.3641, 0.121)),
)


def receipt(points, reasons, *, base, probability, grade):
    rest = points - base - sum(moved for _, _, moved in reasons)
    return {
        "score": min(100, max(0, round(points))),
        "points": points,
        "base_points": base,
        "probability": probability,
        "grade": grade,
        "reasons": [{"code": code, "says": says, "points": moved} for code, says, moved in reasons],
        "rest_points": round(rest, 6),
        "stretch": None,
    }


def example(lead_id, *, model_points, rules_points, reached):
    liked = [
        ("activity:trial_use", "worked in the trial 9 times in 7 days", 14.2),
        ("activity:page_view/pricing", "opened the pricing page 4 times in 7 days", 9.8),
        ("account:any", "3 colleagues were active in 7 days", 6.1),
        ("attribute:seniority", "is a manager", 1.9),
        ("activity:demo_request", "never asked for a demo", -3.3),
    ]
    loved = [
        ("rule:1", "opens our e-mails", 10.0),
        ("rule:2", "visits the website", 15.0),
        ("rule:3", "can sign", 15.0),
        ("rule:4", "company is large enough", 10.0),
    ]
    model = receipt(
        model_points,
        liked if model_points > 60 else [(c, s, -m) for c, s, m in liked],
        base=43.2,
        probability=0.41 if model_points > 60 else 0.04,
        grade="A" if model_points > 60 else "D",
    )
    rules = receipt(
        rules_points,
        loved if rules_points > 50 else loved[:1],
        base=10.0,
        probability=0.22 if rules_points > 50 else 0.06,
        grade="B" if rules_points > 50 else "C",
    )
    return {
        "lead_id": lead_id,
        "called_on": "2026-02-03",
        "reached_on": "2026-02-19" if reached else None,
        "first_receipt": model,
        "other_receipt": rules,
    }


def pair(at, who, more, *, value=True):
    examples = [
        example(
            f"L-{1000 + at * 10 + number}",
            model_points=84.0 - number,
            rules_points=31.0 + number,
            reached=number != 1,
        )
        for number in range(3)
    ]
    others = [
        example(
            f"L-{2000 + at * 10 + number}",
            model_points=37.0 - number,
            rules_points=64.0 + number,
            reached=number == 2,
        )
        for number in range(3)
    ]
    return {
        "name": who["name"],
        "kind": who["kind"],
        "conversions_more": around(more, 21.0),
        "days_earlier": around(round(more / 55, 2), 0.9),
        "value_more": around(more * 3_900.0, 90_000.0) if value else None,
        "rank_correlation": 0.71,
        "calls_in_common": 0.52,
        "top_tenth_in_common": 0.58,
        "only_first": {"leads": 318.0, "rate": around(0.402, 0.058), "examples": examples},
        "only_other": {"leads": 318.0, "rate": around(0.169, 0.044), "examples": others},
    }


def participant(who, called, *, value=True):
    found = round(called * 690, 1)
    days = [date(2026, 1, 16) + timedelta(days=at) for at in range(105)]
    return {
        **who,
        "calls": 1_050.0,
        "conversions": around(found, 31.0),
        "eventual_conversions": around(round(found * 1.12, 1), 34.0),
        "found_share": around(round(called * 0.61, 3), 0.045),
        "calls_per_conversion": around(round(1_050 / found, 2), 0.18),
        "days_before": around(round(6 + called * 9, 2), 0.8),
        "value": around(round(found * 3_900.0), 110_000.0) if value else None,
        "by_day": [
            {
                "day": day.isoformat(),
                "calls": 10.0 * (at + 1),
                "conversions": round(found * ((at + 1) / 105) ** 0.93, 2),
            }
            for at, day in enumerate(days)
        ],
    }


def replay(*, value=True):
    ranked = [(who, numbers) for who, numbers in CONTENDERS if who["kind"] != "baseline"]
    return {
        "start": "2026-01-16T00:00:00Z",
        "end": "2026-05-01T00:00:00Z",
        "days": 105,
        "capacity_per_day": 10.0,
        "leads": 5_204,
        "conversions": 803.0,
        "participants": [participant(who, called, value=value) for who, (_, _, called) in ranked],
        "pairwise": [
            pair(at, who, more, value=value)
            for at, ((who, _), more) in enumerate(zip(ranked[1:], (129.0, 17.2, 49.7), strict=True))
        ],
        "winner": "demo",
        "decided": True,
        "says": (
            "With 10 calls a day over 105 days, demo finds 482 of 803 successes, "
            "129 (108 – 150) more than the point rules."
        ),
    }
