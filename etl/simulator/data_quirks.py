"""The quirks of a real book: missing, padded, upper-case, misspelled or differently written values."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etl.simulator.book import dates

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quirk:
    """A defect of records, and the percentage of records that have it."""

    name: str
    percent: float
    fields: Callable[[random.Random, Item], Item]


def _blank(*names: str) -> Callable[[random.Random, Item], Item]:
    return lambda _dice, _item: dict.fromkeys(names)


def _one_of(name: str, *values: Any) -> Callable[[random.Random, Item], Item]:
    return lambda dice, _item: {name: dice.choice(values)}


def _zip_plus_four(dice: random.Random, item: Item) -> Item:
    code = (item["Zip"] or "").strip()[:5]
    return {"Zip": f"{code}{dice.randrange(1, 9999):04d} "} if code else {}


def _upper_case(_dice: random.Random, item: Item) -> Item:
    names = ("DisplayName", "FirstName", "LastName", "BusinessName", "Line1", "City")
    return {name: item[name].upper() for name in names if item[name]}


def _padded(name: str, width: int) -> Callable[[random.Random, Item], Item]:
    return lambda _dice, item: {name: item[name].ljust(width)} if item[name] else {}


def _restamped(name: str, write: Callable[[Any], str]) -> Callable[[random.Random, Item], Item]:
    return lambda _dice, item: {name: write(dates.read(item[name]))} if item[name] else {}


def _invalid_email(dice: random.Random, item: Item) -> Item:
    address = item["Email"] or "unknown@"
    return {"Email": dice.choice((address.replace("@", " at "), "none", "n/a", address.partition("@")[0] + "@"))}


def _invalid_phone(dice: random.Random, item: Item) -> Item:
    return {"Phone": dice.choice(((item["Phone"] or "555-010")[:-1], "call after 5", "unknown", "000-000-0000"))}


def _deleted(_dice: random.Random, _item: Item) -> Item:
    return {"Status": "D", "StatusDisplay": "Deleted"}


CONTACT_QUIRKS = (
    Quirk("no email", 14, _blank("Email")),
    Quirk("no telephone", 9, _blank("Phone", "PhoneType")),
    Quirk("blank email", 3, _one_of("Email", "", " ")),
    Quirk("invalid email", 1.5, _invalid_email),
    Quirk("invalid telephone", 1.5, _invalid_phone),
    Quirk("no address", 4, _blank("Line1", "Line2", "City", "State", "County", "Zip", "Country")),
    Quirk("ZIP+4 without hyphen", 18, _zip_plus_four),
    Quirk("ZIP padded to ten", 45, _padded("Zip", 10)),
    Quirk("state of two blanks", 1, _one_of("State", "  ")),
    Quirk("county left empty", 12, _one_of("County", "")),
    Quirk("no customer number", 4, _blank("CustomerNo")),
    Quirk("no office", 1.5, _blank("LocationID")),
    Quirk("upper case", 5, _upper_case),
    Quirk("last name with blanks", 3, _padded("LastName", 20)),
    Quirk("agent's name with blanks", 2, _padded("AgentName", 24)),
    Quirk("no name at all", 1, _blank("FirstName", "MiddleName", "LastName", "BusinessName")),
    Quirk("no name shown", 0.4, _one_of("DisplayName", "", None)),
    Quirk("birth date of a machine", 1, _one_of("DOB", "0001-01-01T00:00:00", "1900-01-01T00:00:00", "")),
    Quirk("no type", 0.5, _blank("ContactType", "ContactTypeDisplay", "TypeDisplay")),
    Quirk("unpublished status", 1.5, lambda _dice, _item: {"Status": "I", "StatusDisplay": "Inactive"}),
    Quirk("created with seven digits", 3, _restamped("CreatedOn", dates.seven_digits)),
    Quirk("modified with seven digits", 3, _restamped("DateLastModified", dates.seven_digits)),
)
POLICY_QUIRKS = (
    Quirk("number not filled in", 1.2, _one_of("PolicyNumber", "TBA", "TBD", "Pending", "pending")),
    Quirk("number of many", 0.6, _one_of("PolicyNumber", "BINDER", "123456")),
    Quirk("number with blanks", 3, _padded("PolicyNumber", 25)),
    Quirk("no description but not null", 12, _one_of("Description", "")),
    Quirk("producers left out", 2, _one_of("ProducerIDs", [])),
    Quirk("agent's name with blanks", 2, _padded("AgentName", 24)),
    Quirk("created in the American form", 2, _restamped("CreatedOn", dates.american)),
    Quirk("modified in the American form", 2, _restamped("DateLastModified", dates.american)),
    Quirk("modified with seven digits", 4, _restamped("DateLastModified", dates.seven_digits)),
)
#: Deleted contacts come through the feed as a modification, so only modified contacts can be deleted.
DELETED_CONTACT = Quirk("deleted", 2, _deleted)


def with_quirks(dice: random.Random, item: Item, quirks: tuple[Quirk, ...]) -> Item:
    """Return the record with the quirks that it happens to have."""
    for quirk in quirks:
        if dice.random() * 100 < quirk.percent:
            item |= quirk.fields(dice, item)
    return item


def contact(dice: random.Random, item: Item) -> Item:
    """Return a contact as a real book has it."""
    quirks = (*CONTACT_QUIRKS, DELETED_CONTACT) if item["DateLastModified"] else CONTACT_QUIRKS
    return with_quirks(dice, item, quirks)


def policy(dice: random.Random, item: Item) -> Item:
    """Return a policy as a real book has it."""
    return with_quirks(dice, item, POLICY_QUIRKS)
