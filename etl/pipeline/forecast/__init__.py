"""Forecasts: how many calls and how much time a sync takes, from samples and from what is stored."""
