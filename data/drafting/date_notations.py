"""How the instants of a column are written, with the cell that proves it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from data.drafting.file_samples import FileSample, SampleTools
from data.reading.date_formats import reads_clock
from data.sql import listed, literal, quoted

_CLOCK = (
    r"(?P<clock>(?P<gap>[T ]|, )(?P<hour>\d{1,2}):\d{2}(?P<seconds>:\d{2}(?P<part>[.]\d+)?)?(?P<half> ?[AaPp][Mm])?)?"
)
_OFFSET = r"(?P<offset> ?(Z|UTC|GMT|[+-]\d{2}:?(\d{2})?))?"
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?( ?[Zz]| ?UTC| ?[+-]\d{2}(:?\d{2})?)?)?")
_WRITTEN = (
    (re.compile(rf"\d{{4}}/\d{{1,2}}/\d{{1,2}}{_CLOCK}{_OFFSET}"), ("%Y/%m/%d",)),
    (re.compile(rf"\d{{1,2}}(?P<mark>[./-])\d{{1,2}}(?P=mark)(?P<year>\d{{4}}|\d{{2}}){_CLOCK}{_OFFSET}"), ()),
    (re.compile(rf"\d{{1,2}} [A-Z][a-z]{{2}} \d{{4}}{_CLOCK}{_OFFSET}"), ("%d %b %Y",)),
    (re.compile(rf"\d{{1,2}}-[A-Z][A-Za-z]{{2}}-\d{{4}}{_CLOCK}{_OFFSET}"), ("%d-%b-%Y",)),
    (re.compile(rf"\d{{1,2}}-[A-Z][A-Za-z]{{2}}-\d{{2}}{_CLOCK}{_OFFSET}"), ("%d-%b-%y",)),
    (re.compile(rf"[A-Z][a-z]{{2}}, \d{{1,2}} [A-Z][a-z]{{2}} \d{{4}}{_CLOCK}{_OFFSET}"), ("%a, %d %b %Y",)),
    (re.compile(rf"[A-Z][a-z]{{2}} \d{{1,2}}, \d{{4}}{_CLOCK}{_OFFSET}"), ("%b %d, %Y",)),
)
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_WHOLE_FORMS = (
    (re.compile(r"\d{8}T\d{6}"), "%Y%m%dT%H%M%S"),
    (re.compile(r"\d{8}T\d{6}(Z|[+-]\d{2}:?\d{2})"), "%Y%m%dT%H%M%S%z"),
    (re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} [A-Z]{3,4} \d{4}"), "%a %b %d %H:%M:%S %Z %Y"),
)
"""Ways to write an instant of which no part varies, and their formats."""

_COUNTED = {"epoch_s": (10, 1), "epoch_ms": (13, 10**3), "epoch_us": (16, 10**6), "epoch_ns": (19, 10**9)}
_FIRST_YEAR, _LAST_YEAR = 2000, 2035
_SECONDS = (946_684_800, 2_051_222_400)  # 2000 to 2035
_NEARLY_ALL = 0.97
_LAST_MONTH = 12
_FEW = 5


@dataclass(frozen=True, slots=True)
class DateNotation:
    """
    How the instants of a column are written.

    Attributes:
        formats: in the playbook's words; empty for ISO 8601, which needs none.
        proof: the cell that shows it.
        others: the other reading of an ambiguous column, as a playbook would name it.
        has_offset: whether the cells say their distance from UTC.
        has_clock: whether they say a time of day.
    """

    formats: tuple[str, ...] = ()
    proof: str = ""
    others: tuple[str, ...] = ()
    has_offset: bool = False
    has_clock: bool = True

    @property
    def is_ambiguous(self) -> bool:
        """Whether day and month may stand either way round."""
        return bool(self.others)

    def as_us(self, cell: str) -> str:
        """Return the SQL of a cell as microseconds since 1970; what cannot be read is NULL."""
        if not self.formats:
            return f"plausible(coalesce(local_us(as_day({cell})::TIMESTAMP), as_clock({cell})))"
        if self.formats[0] in _COUNTED:
            return f"(TRY_CAST({cell} AS DOUBLE) / {_COUNTED[self.formats[0]][1]} * 1e6)::BIGINT"
        spelled = listed([given for given in self.formats if given != "iso"])[1:-1]
        read = f"try_strptime({cell}, [{spelled}])"
        if any("%Z" in given or "%z" in given for given in self.formats):
            return f"coalesce({', '.join(reads_clock(given, cell) for given in self.formats)})"
        iso = f"local_us(as_day({cell})::TIMESTAMP), as_clock({cell}), " if "iso" in self.formats else ""
        return f"coalesce({iso}local_us({read}))"


@dataclass(frozen=True, slots=True)
class _Shape:
    """One way in which cells are written: the formats of the day, and of the clock after it."""

    days: tuple[str, ...]
    clocks: tuple[str, ...]
    mark: str = ""
    offset: bool = False
    example: str = field(default="", compare=False)


def date_notation(
    column: str, cells: Sequence[tuple[int, str]], *, sample: FileSample, tools: SampleTools
) -> DateNotation | None:
    """
    Find how the instants of a column are written.

    Args:
        column: its name.
        cells: some of its filled cells with their rows.
        sample: the file, all of whose rows are searched for the proof.
        tools: the connection that holds it.

    Returns:
        The notation; None if the column does not hold instants.
    """
    texts = [text for _, text in cells]
    isos = [cell for cell in cells if _ISO.fullmatch(cell[1])]
    if _are_nearly_all(len(isos), len(texts)):
        return _iso(isos)
    if (whole := _whole_form(texts)) is not None:
        return whole
    if isos and (rest := [cell for cell in cells if not _ISO.fullmatch(cell[1])]):
        return _besides_iso(date_notation(column, rest, sample=sample, tools=tools), isos)
    if (counted := _counted(texts)) is not None:
        return counted
    shapes = [shape for text in texts if (shape := _shape_of(text)) is not None]
    if not _are_nearly_all(len(shapes), len(texts)):
        return None
    clocks = tuple(dict.fromkeys(clock for shape in shapes for clock in shape.clocks))
    offset = any(shape.offset for shape in shapes)
    if len({(shape.days, shape.mark) for shape in shapes}) > 1:
        return None
    first = shapes[0]
    if first.days:
        formats = _with_clocks(first.days, clocks)
        return DateNotation(formats, f"{first.example} in row {cells[0][0]}", (), offset, has_clock=any(clocks))
    return _day_or_month_first(column, first.mark, clocks, sample=sample, tools=tools)


def _iso(cells: Sequence[tuple[int, str]]) -> DateNotation:
    row, text = cells[0]
    offset = bool(re.search(r"(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$", text[10:]))
    return DateNotation((), f"{text} in row {row}", (), offset, len(text) > len("2026-01-01"))


def _are_nearly_all(some: int, number: int) -> bool:
    """Test whether so many cells show what a column holds: all but a few, or all but one of at least five."""
    return some >= _NEARLY_ALL * number or (number >= _FEW and some >= number - 1)


def _whole_form(texts: Sequence[str]) -> DateNotation | None:
    for pattern, given in _WHOLE_FORMS:
        if all(pattern.fullmatch(text) for text in texts):
            return DateNotation((given,), texts[0], (), has_offset=given[-1] in "zY")
    return None


def _besides_iso(other: DateNotation | None, isos: Sequence[tuple[int, str]]) -> DateNotation | None:
    """Return the notation of a column of which some cells are ISO 8601, and the others are certain in another one."""
    if other is None or other.is_ambiguous or other.formats[0] in _COUNTED:
        return None
    row, text = isos[0]
    return replace(other, formats=("iso", *other.formats), proof=f"{text} in row {row}; {other.proof}")


def _counted(texts: Sequence[str]) -> DateNotation | None:
    """Return a count of seconds or parts of them since 1970, or a date without marks, that all cells are."""
    texts = [re.sub(r"[.]\d+$", "", text) for text in texts]
    if not all(text.isdigit() for text in texts) or len({len(text) for text in texts}) > 1:
        return None
    low, high, length = int(min(texts)), int(max(texts)), len(texts[0])
    for name, (digits, parts) in _COUNTED.items():
        if length == digits and _SECONDS[0] * parts <= low <= high <= _SECONDS[1] * parts:
            return DateNotation((name,), f"{texts[0]} counts from 1970", (), has_offset=True)
    wanted = _COMPACT.get(length)
    if wanted and all(_is_compact(text) for text in texts):
        return DateNotation((wanted,), texts[0], (), has_clock=length > min(_COMPACT))
    return None


def _is_compact(text: str) -> bool:
    month, day = int(text[4:6]), int(text[6:8])
    return _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR and 1 <= month <= _LAST_MONTH and 1 <= day <= 31  # noqa: PLR2004


def _shape_of(text: str) -> _Shape | None:
    for pattern, days in _WRITTEN:
        if (match := pattern.fullmatch(text)) is not None:
            parts = match.groupdict()
            mark = (parts["mark"] + ("Y" if len(parts["year"]) > 2 else "y")) if not days else ""  # noqa: PLR2004
            return _Shape(days, (_clock_of(parts),), mark, bool(parts["offset"]), text)
    return None


def _clock_of(parts: dict[str, str]) -> str:
    """Return the format of a time of day; '' if there is none."""
    if not parts["clock"]:
        return _zone_of(parts)
    hour = "%I" if parts["half"] else "%H"
    seconds = ":%S" + (".%f" if parts["part"] else "") if parts["seconds"] else ""
    half = parts["half"].replace(parts["half"].strip(), "%p") if parts["half"] else ""
    return f"{parts['gap']}{hour}:%M{seconds}{half}{_zone_of(parts)}"


def _zone_of(parts: dict[str, str]) -> str:
    offset = parts["offset"]
    if not offset:
        return ""
    word = offset.strip()
    return offset.replace(word, "%z" if word[0] in "+-Z" else "%Z")


def _with_clocks(days: Sequence[str], clocks: Sequence[str]) -> tuple[str, ...]:
    return tuple(day + clock for day in days for clock in clocks)


def _day_or_month_first(
    column: str, mark: str, clocks: Sequence[str], *, sample: FileSample, tools: SampleTools
) -> DateNotation | None:
    """Look through all rows for a number above 12, which no month has."""
    sign, year = mark[0], "%" + mark[1]
    day_first, month_first = f"%d{sign}%m{sign}{year}", f"%m{sign}%d{sign}{year}"
    numbers = [f"TRY_CAST(split_part({quoted(column)}, {literal(sign)}, {place}) AS INTEGER)" for place in (1, 2)]
    proofs = []
    for number in numbers:
        above = f"FROM {sample.table} WHERE {number} > {_LAST_MONTH} ORDER BY _row LIMIT 1"
        proofs.append(tools.values(f"SELECT _row, {quoted(column)} {above}"))
    if proofs[0] and proofs[1]:
        return None
    has_clock = any(clocks)
    for proof, day, words in ((proofs[0], day_first, "day"), (proofs[1], month_first, "month")):
        if proof:
            row, text = proof[0]
            says = f"{words} first: {text} in row {row}"
            return DateNotation(_with_clocks([day], clocks), says, has_clock=has_clock)
    return DateNotation(
        _with_clocks([day_first], clocks),
        "no number above 12 says which is the day",
        _with_clocks([month_first], clocks),
        has_clock=has_clock,
    )
