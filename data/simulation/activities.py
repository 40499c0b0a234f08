"""Activities as rows of the company's tools: with subjects and values, sometimes late, sometimes twice."""

from dataclasses import dataclass

import numpy as np

from data.instants import DAY_US, HOUR_US, SECOND_US
from data.simulation.arrays import Flags, Floats, Ints, Texts, pick
from data.simulation.timeline import Touches
from data.simulation.touches import Touch

WEB, MAIL, SALES = 0, 1, 2
PAGES = ("blog", "product", "docs", "customers", "pricing", "careers")
CAMPAIGNS = ("newsletter", "product_news", "case_study", "webinar_invitation", "offer")
_TOOLS = {
    Touch.OPEN: (MAIL, "open"),
    Touch.CLICK: (MAIL, "click"),
    Touch.REPLY: (MAIL, "reply"),
    Touch.UNSUBSCRIBE: (MAIL, "unsubscribe"),
    **dict.fromkeys(range(Touch.BLOG, Touch.CAREERS + 1), (WEB, "view")),
    Touch.WEBINAR: (WEB, "webinar"),
    Touch.TRIAL: (WEB, "trial"),
    Touch.TRIAL_USE: (WEB, "trial_login"),
    Touch.MEETING: (SALES, "Meeting"),
    Touch.CRAWL: (WEB, "bot_view"),
    Touch.DEMO: (SALES, "Demo requested"),
    Touch.CALL: (SALES, "Call"),
    Touch.TALK: (SALES, "Call"),
}
_VIEWS_MORE, _LONGEST_VISIT = 0.42, 12
_BETWEEN_VIEWS_S = (15, 150)
_OTHER_PAGE = 0.30
_PAGE_SHARES = (0.26, 0.34, 0.12, 0.14, 0.10, 0.04)
_CRAWLED_PAGES = (8, 40)
_RECOGNISED = 0.4
_CAMPAIGN_SHARES = (0.45, 0.20, 0.12, 0.13, 0.10)
# Mean and spread of the logarithm of the value, by touch: seconds on the web, minutes in sales.
_VALUES = {
    **dict.fromkeys(range(Touch.BLOG, Touch.CAREERS + 1), (3.6, 0.9)),
    Touch.WEBINAR: (7.6, 0.5),
    Touch.TRIAL_USE: (6.3, 0.9),
    Touch.MEETING: (3.6, 0.3),
    Touch.CALL: (0.4, 0.6),
    Touch.TALK: (2.3, 0.6),
}
# How late each tool's rows arrive: share of rows, mean of the exponential delay.
_DELAYS: dict[int, tuple[tuple[float, float], ...]] = {
    WEB: ((0.93, 2 * SECOND_US), (0.05, 900 * SECOND_US), (0.02, 7 * HOUR_US)),
    MAIL: ((0.85, 1_800 * SECOND_US), (0.12, 6 * HOUR_US), (0.03, 36 * HOUR_US)),
    SALES: ((0.60, 2_400 * SECOND_US), (0.30, 8 * HOUR_US), (0.10, 48 * HOUR_US)),
}
_LATEST_US = 10 * DAY_US
_SENT_TWICE = 0.003


@dataclass(frozen=True, slots=True)
class ActivityRows:
    """Rows of the company's tools in the order they became known; a row sent twice stands twice."""

    number: Ints
    """(n,) which activity the row tells of"""
    tool: Ints
    lead: Ints
    word: Texts
    subject: Texts
    value: Floats
    occurred_us: Ints
    known_us: Ints

    def where(self, chosen: Flags) -> "ActivityRows":
        """Keep the rows that are chosen."""
        return ActivityRows(*(getattr(self, name)[chosen] for name in self.__slots__))


def written_down(rng: np.random.Generator, touches: Touches, *, end_us: int) -> ActivityRows:
    """
    Return touches as the company's tools record them.

    Args:
        rng: where chance comes from.
        touches: what happened.
        end_us: only what is known before this instant is written.
    """
    lead, what, page, occurred_us = _views(rng, touches)
    tool = np.array([_TOOLS[Touch(touch)][0] for touch in Touch])[what]
    known = occurred_us + _delays(rng, tool)
    n = len(lead)
    rows = ActivityRows(
        number=np.arange(n),
        tool=tool,
        lead=lead,
        word=np.array([_TOOLS[Touch(touch)][1] for touch in Touch], dtype=object)[what],
        subject=_subjects(rng, what, page),
        value=_values(rng, what),
        occurred_us=occurred_us,
        known_us=known,
    )
    return _in_order(rng, rows.where(known < end_us))


def _in_order(rng: np.random.Generator, rows: ActivityRows) -> ActivityRows:
    """Sort by what became known first, number the activities anew and send some of them twice."""
    order = np.lexsort((rows.lead, rows.occurred_us, rows.known_us))
    twice = 1 + (rng.random(len(order)) < _SENT_TWICE)
    number = np.repeat(np.arange(len(order)), twice)
    columns = {name: getattr(rows, name)[order][number] for name in rows.__slots__}
    return ActivityRows(**(columns | {"number": number}))


def _views(rng: np.random.Generator, touches: Touches) -> tuple[Ints, Ints, Ints, Ints]:
    """Expand visits into page views and crawls into bursts; return lead, touch, page and instant of each row."""
    crawl = touches.what == Touch.CRAWL
    visit = (touches.what >= Touch.BLOG) & (touches.what <= Touch.CAREERS)
    row, position, occurred_us = _steps(rng, touches.at_us, visit=visit, crawl=crawl)
    page = np.where(crawl[row], position % len(PAGES), touches.what[row] - Touch.BLOG)
    elsewhere = visit[row] & (position > 0) & (rng.random(len(row)) < _OTHER_PAGE)
    page = np.where(elsewhere, pick(rng, np.tile(_PAGE_SHARES, (len(row), 1))), page)
    unrecognised = crawl[row] & (rng.random(len(row)) >= _RECOGNISED)
    what = np.where(unrecognised | elsewhere, Touch.BLOG + page, touches.what[row])
    return touches.lead[row], what, page, occurred_us


def _steps(rng: np.random.Generator, at_us: Ints, *, visit: Flags, crawl: Flags) -> tuple[Ints, Ints, Ints]:
    """Repeat each touch as often as it takes: people read for a while, a crawler turns a page each second."""
    n = len(at_us)
    read = np.minimum(rng.geometric(1 - _VIEWS_MORE, n), _LONGEST_VISIT)
    times = np.where(visit, read, np.where(crawl, rng.integers(*_CRAWLED_PAGES, n), 1))
    pace_us = np.where(crawl, SECOND_US, (rng.uniform(*_BETWEEN_VIEWS_S, n) * SECOND_US).astype(np.int64))
    row = np.repeat(np.arange(n), times)
    position = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    return row, position, at_us[row] + position * pace_us[row]


def _subjects(rng: np.random.Generator, what: Ints, page: Ints) -> Texts:
    viewed = (what >= Touch.BLOG) & (what <= Touch.CAREERS)
    mailed = (what == Touch.OPEN) | (what == Touch.CLICK)
    campaign = pick(rng, np.tile(_CAMPAIGN_SHARES, (len(what), 1)))
    subjects = np.full(len(what), None, dtype=object)
    subjects[viewed] = np.array(PAGES, dtype=object)[page[viewed]]
    subjects[mailed] = np.array(CAMPAIGNS, dtype=object)[campaign[mailed]]
    return subjects


def _values(rng: np.random.Generator, what: Ints) -> Floats:
    scale = np.array([_VALUES.get(touch, (np.nan, 0.0)) for touch in Touch])
    values: Floats = np.round(np.exp(scale[what, 0] + scale[what, 1] * rng.standard_normal(len(what))), 1)
    return values


def _delays(rng: np.random.Generator, tool: Ints) -> Ints:
    """Draw how long after the fact each row arrives, in microseconds."""
    table = np.array([_DELAYS[number] for number in (WEB, MAIL, SALES)])
    which = pick(rng, table[tool, :, 0])
    drawn = rng.exponential(table[tool, which, 1])
    delays: Ints = np.minimum(drawn, _LATEST_US).astype(np.int64)
    return delays
