"""Formatting of numbers, durations, times and rates for the commands."""

from etl.status.format import format_count, format_duration, format_number, format_rate, format_time, join_words

__all__ = ["format_count", "format_duration", "format_number", "format_rate", "format_time", "join_words"]
