"""Names of people and businesses, their streets, telephones and email addresses."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
import re
from dataclasses import dataclass
from itertools import accumulate

from faker.providers.person.en_US import Provider

TRADES = (
    "Roofing", "Plumbing", "Landscaping", "Dental Group", "Auto Repair", "Bakery", "Electric", "Painting", "Marine",
    "Construction", "Consulting", "Hardware", "Pharmacy", "Trucking", "Cleaning Services", "Veterinary Clinic",
    "Property Management", "Catering", "Fitness", "Florist", "Cabinetry", "Heating & Air", "Towing", "Accounting",
)  # fmt: skip
FORMS = ("LLC", "Inc", "LLC", "Inc.", "Corp", "& Sons", "PA", "LLC")
STREETS = (
    "Oak", "Maple", "Cedar", "Pine", "Elm", "Palm", "Magnolia", "Main", "Church", "Park", "Lake", "Hill", "River",
    "Sunset", "Washington", "Jefferson", "Lincoln", "Franklin", "Orange", "Cypress", "Dogwood", "Willow", "Hickory",
    "Meadow", "Ridge", "Spring", "Highland", "Forest", "Heron", "Pelican", "Bay", "Harbor", "Mill", "Orchard",
)  # fmt: skip
SUFFIXES = ("St", "Ave", "Dr", "Ln", "Rd", "Ct", "Blvd", "Way", "Pl", "Cir", "Ter")
QUARTERS = ("", "", "", "", "N ", "S ", "E ", "W ", "NW ", "SE ")

_FEMALE = tuple(Provider.first_names_female)
_FEMALE_WEIGHTS = tuple(accumulate(Provider.first_names_female.values()))
_MALE = tuple(Provider.first_names_male)
_MALE_WEIGHTS = tuple(accumulate(Provider.first_names_male.values()))
_LAST = tuple(Provider.last_names)
_LAST_WEIGHTS = tuple(accumulate(Provider.last_names.values()))


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a person."""

    first: str
    middle: str | None
    last: str
    female: bool


def first_name(dice: random.Random, *, female: bool) -> str:
    """Return a first name, common ones more often."""
    names, weights = (_FEMALE, _FEMALE_WEIGHTS) if female else (_MALE, _MALE_WEIGHTS)
    return dice.choices(names, cum_weights=weights)[0]


def last_name(dice: random.Random) -> str:
    """Return a family name, common ones more often."""
    return dice.choices(_LAST, cum_weights=_LAST_WEIGHTS)[0]


def person(dice: random.Random) -> Name:
    """Return the name of a person; six in ten have a middle name, half of these an initial."""
    female = dice.random() < 0.5  # one half
    middle = first_name(dice, female=female) if dice.random() < 0.6 else None
    if middle and dice.random() < 0.5:
        middle = middle[0]
    return Name(first_name(dice, female=female), middle, last_name(dice), female)


def business(dice: random.Random, city: str) -> str:
    """Return the name of a business, after its owner or its town."""
    owner = city if dice.random() < 0.25 else last_name(dice)
    return f"{owner} {dice.choice(TRADES)} {dice.choice(FORMS)}"


def street(dice: random.Random) -> str:
    """Return a house number and a street."""
    name = dice.choice(STREETS) if dice.random() < 0.7 else last_name(dice)
    return f"{dice.randrange(1, 9990)} {dice.choice(QUARTERS)}{name} {dice.choice(SUFFIXES)}"


def second_line(dice: random.Random) -> str:
    """Return the second line of an address; empty for two in three."""
    roll = dice.randrange(12)
    return f"Apt {dice.randrange(1, 400)}" if roll < 3 else f"Suite {dice.randrange(100, 900)}" if roll == 3 else ""


def phone(dice: random.Random, area_code: str) -> str:
    """Return a telephone number of the range that is kept for fiction (555-0100 to 555-0199), as people write it."""
    line = f"{dice.randrange(100, 200):04d}"
    form = dice.choice(("({0}) 555-{1}", "({0}) 555-{1}", "{0}-555-{1}", "{0}555{1}", "{0}.555.{1}", "+1 {0} 555 {1}"))
    return form.format(area_code, line)


def slug(text: str) -> str:
    """Return the letters and digits of a text in lower case."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def email(dice: random.Random, name: Name) -> str:
    """Return an email address of a person, at a domain that is kept for examples."""
    local = dice.choice(("{0}.{1}", "{0}{1}", "{2}{1}", "{0}_{1}", "{1}.{0}{3}", "{0}{3}", "{0}.{1}{3}"))
    filled = local.format(slug(name.first), slug(name.last), slug(name.first)[0], dice.randrange(1, 99))
    return f"{filled}@example.{dice.choice(('com', 'com', 'net', 'org'))}"


def business_email(dice: random.Random, name: str) -> str:
    """Return an email address of a business, under a domain that is kept for examples."""
    return f"{dice.choice(('office', 'info', 'accounting', 'hello'))}@{slug(name)[:40]}.example.com"
