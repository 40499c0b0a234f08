"""Calibrations of every kind: a few by name, and any that a bundle may hold."""

from itertools import accumulate, pairwise

from hypothesis import strategies as st

from models.calibration import Beta, Isotonic, Platt

NAMED = {
    "platt": Platt(0.9, -0.1),
    "beta": Beta(0.4, 2.5, 0.3),
    "beta, one side flat": Beta(0.0, 1.2, -1.0),
    "isotonic": Isotonic((-3.0, -1.0, -0.9, 0.5, 2.0), (-4.0, -3.0, -1.0, -1.0, 1.5), below=0.3, above=0.1),
    "isotonic, flat beyond": Isotonic((-1.0, 1.0), (-2.0, 0.5), below=0.0, above=0.0),
    "isotonic, flat": Isotonic((0.0,), (-1.5,), below=0.0, above=0.0),
}

MARGINS = st.floats(-30, 30)
_SLOPES = st.floats(0, 20)


@st.composite
def isotonic(draw, *, among=MARGINS):
    """Draw an isotonic map with knots at given places, or next to one another."""
    at = sorted(draw(st.sets(among, min_size=1, max_size=8)))
    kept = [at[0], *(after for before, after in pairwise(at) if after - before > 1e-12)]
    widths = [after - before for before, after in pairwise(kept)]
    rises = [draw(st.floats(0, min(3.0, 900 * width))) for width in widths]
    log_odds = accumulate(rises, initial=draw(st.floats(-8, 2)))
    return Isotonic(tuple(kept), tuple(log_odds), below=draw(_SLOPES), above=draw(_SLOPES))


def maps():
    """Draw a calibration of any kind."""
    platt = st.builds(Platt, _SLOPES, st.floats(-10, 10))
    beta = st.builds(Beta, _SLOPES, _SLOPES, st.floats(-10, 10))
    return st.one_of(platt, beta, isotonic())
