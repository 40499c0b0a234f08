"""How often each type of lead does what: touches per day, by intent."""

from enum import IntEnum

import numpy as np

from data.simulation.arrays import Floats
from data.simulation.process import DayKind, Intent, LeadType


class Touch(IntEnum):
    """One thing that happens between a lead and the company; a visit becomes several page views."""

    OPEN = 0
    CLICK = 1
    REPLY = 2
    UNSUBSCRIBE = 3
    BLOG = 4
    PRODUCT = 5
    DOCS = 6
    CUSTOMERS = 7
    PRICING = 8
    CAREERS = 9
    WEBINAR = 10
    TRIAL = 11
    TRIAL_USE = 12
    MEETING = 13
    CRAWL = 14
    DEMO = 15
    CALL = 16
    TALK = 17


MAIL = slice(Touch.OPEN, Touch.UNSUBSCRIBE + 1)
WEB = slice(Touch.BLOG, Touch.TRIAL_USE + 1)
RATED = Touch.CRAWL + 1
"""Touches from here on follow from the hidden process instead of a rate."""

_BUYER = {  # touches a day when cold, curious, evaluating, ready
    Touch.OPEN: (0.045, 0.130, 0.180, 0.200),
    Touch.CLICK: (0.004, 0.022, 0.052, 0.070),
    Touch.REPLY: (0.0002, 0.001, 0.007, 0.022),
    Touch.UNSUBSCRIBE: (0.0014, 0.0005, 0.0002, 0.0001),
    Touch.BLOG: (0.009, 0.046, 0.034, 0.020),
    Touch.PRODUCT: (0.005, 0.030, 0.060, 0.062),
    Touch.DOCS: (0.0006, 0.005, 0.034, 0.036),
    Touch.CUSTOMERS: (0.0004, 0.004, 0.020, 0.034),
    Touch.PRICING: (0.0008, 0.007, 0.032, 0.085),
    Touch.CAREERS: (0.0006, 0.001, 0.001, 0.0006),
    Touch.WEBINAR: (0.0008, 0.006, 0.010, 0.006),
    Touch.TRIAL: (0.0001, 0.0012, 0.009, 0.018),
    Touch.TRIAL_USE: (0.03, 0.08, 0.18, 0.25),
    Touch.MEETING: (0.002, 0.008, 0.030, 0.060),
    Touch.CRAWL: (0.0006, 0.0006, 0.0006, 0.0006),
}
_STUDENT = {
    Touch.OPEN: (0.05, 0.08, 0.10, 0.10),
    Touch.CLICK: (0.012, 0.024, 0.030, 0.030),
    Touch.REPLY: (0.0005, 0.0005, 0.001, 0.001),
    Touch.UNSUBSCRIBE: (0.0008, 0.0008, 0.0008, 0.0008),
    Touch.BLOG: (0.03, 0.055, 0.07, 0.07),
    Touch.PRODUCT: (0.015, 0.04, 0.055, 0.055),
    Touch.DOCS: (0.03, 0.08, 0.11, 0.11),
    Touch.CUSTOMERS: (0.008, 0.02, 0.03, 0.03),
    Touch.PRICING: (0.008, 0.022, 0.032, 0.032),
    Touch.CAREERS: (0.004, 0.006, 0.006, 0.006),
    Touch.WEBINAR: (0.003, 0.006, 0.008, 0.008),
    Touch.TRIAL: (0.001, 0.003, 0.004, 0.004),
    Touch.TRIAL_USE: (0.05, 0.10, 0.12, 0.12),
    Touch.MEETING: (0.0, 0.0, 0.0, 0.0),
    Touch.CRAWL: (0.0006, 0.0006, 0.0006, 0.0006),
}
_JOB_SEEKER = {
    **_STUDENT,
    Touch.DOCS: (0.002, 0.004, 0.006, 0.006),
    Touch.CUSTOMERS: (0.02, 0.04, 0.05, 0.05),
    Touch.CAREERS: (0.05, 0.11, 0.15, 0.15),
    Touch.TRIAL: (0.0004, 0.0008, 0.001, 0.001),
}
_BOT = dict.fromkeys(_BUYER, (0.0, 0.0, 0.0, 0.0)) | {
    Touch.CRAWL: (0.05, 0.05, 0.05, 0.05),
    Touch.OPEN: (0.05, 0.05, 0.05, 0.05),
    Touch.CLICK: (0.03, 0.03, 0.03, 0.03),
}
_PEOPLE_ON_WEEKENDS = 0.35
_MORE_WEB_BY_DRIFT, _LESS_MAIL_BY_DRIFT = 1.5, 0.5


def touch_rates(day: DayKind) -> Floats:
    """
    Return the touches to expect on a day of this kind.

    Returns:
        (4 types, 4 intents, 15 touches) expected number; meetings count only for leads that sales works on.
    """
    by_type = {LeadType.BUYER: _BUYER, LeadType.STUDENT: _STUDENT, LeadType.JOB_SEEKER: _JOB_SEEKER, LeadType.BOT: _BOT}
    rates = np.zeros((len(LeadType), len(Intent), RATED))
    for lead_type, table in by_type.items():
        for touch, levels in table.items():
            rates[lead_type, :, touch] = levels
    if day.weekend:
        rates[..., : Touch.MEETING] *= _PEOPLE_ON_WEEKENDS
        rates[..., Touch.MEETING] = 0
    rates[..., WEB] *= _MORE_WEB_BY_DRIFT**day.drift
    rates[..., MAIL] *= _LESS_MAIL_BY_DRIFT**day.drift
    return rates
