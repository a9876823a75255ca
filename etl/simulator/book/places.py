"""Real ZIP codes with their city, county and state, and the ones around an office."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import zipcodes

#: Home states of the agency, each with the neighbors where a few of its clients live.
STATES = {
    "FL": ("GA", "AL"),
    "GA": ("FL", "SC"),
    "TX": ("OK", "LA"),
    "NC": ("SC", "VA"),
    "OH": ("IN", "PA"),
    "TN": ("KY", "GA"),
    "AZ": ("NM", "NV"),
}
REACH = 0.6  #: degrees of latitude and longitude around an office from which most clients come (some 40 miles)


@dataclass(frozen=True, slots=True)
class Place:
    """A ZIP code and what belongs to it."""

    zip: str
    city: str
    county: str
    state: str
    area_code: str
    latitude: float
    longitude: float


@cache
def places_of(state: str) -> tuple[Place, ...]:
    """Return the ordinary (street delivery) ZIP codes of a state."""
    rows: list[dict[str, Any]] = zipcodes.filter_by(  # type: ignore[no-untyped-call]
        state=state, zip_code_type="STANDARD", active=True
    )
    return tuple(
        Place(
            row["zip_code"],
            row["city"],
            row["county"],
            state,
            row["area_codes"][0],
            float(row["lat"]),
            float(row["long"]),
        )
        for row in rows
        if row["area_codes"] and row["county"]
    )


@cache
def around(office: Place) -> tuple[Place, ...]:
    """Return the places of the office's state that are within reach of it."""
    return tuple(
        zip_code
        for zip_code in places_of(office.state)
        if abs(zip_code.latitude - office.latitude) < REACH and abs(zip_code.longitude - office.longitude) < REACH
    )


def home_of_client(dice: random.Random, office: Place) -> Place:
    """Return where a client of an office lives: near it, now and then across the state, seldom in the next one."""
    roll = dice.random()
    if roll < 0.92:  # shares of clients
        return dice.choice(around(office))
    state = office.state if roll < 0.98 else dice.choice(STATES[office.state])
    return dice.choice(places_of(state))
