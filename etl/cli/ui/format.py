"""Formatting of numbers, durations, times and rates for the commands."""

from etl.status.format import (
    format_bound,
    format_count,
    format_duration,
    format_moment,
    format_number,
    format_rate,
    format_time,
    join_words,
    zone_label,
)

__all__ = [
    "format_bound",
    "format_count",
    "format_duration",
    "format_moment",
    "format_number",
    "format_rate",
    "format_time",
    "join_words",
    "zone_label",
]
