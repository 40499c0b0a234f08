"""What a feature is made of, as the kernel reads it: numbers that the plan writes and the sweep understands."""

EVER_US = 2**62
"""The length of a window that never closes."""

COUNT, DISTINCT, SUM, MEAN, TREND, LAST, FIRST, HOUR, WEEKDAY, DECAYED = range(10)
"""Read from the running numbers of one group."""

SHARE, BETWEEN, MEAN_GAP, SILENCE, LOCAL_HOUR, LOCAL_WEEKDAY = range(10, 16)
"""Read from the running numbers of one group or two, and from the offsets of a time zone."""

NTH, KIND, LONGEST_GAP, WINDOW_MEAN_GAP, FIRST_VALUE, LAST_VALUE, SEQUENCE = range(16, 23)
"""Read from the facts of a group in the order in which they occurred."""

NOTHING, PEOPLE, DAYS = -1, -2, -3
"""What a window counts besides activities, in place of the row of its subjects; rows of days go on downwards."""
