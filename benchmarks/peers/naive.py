"""The naive candidate: requests, the usual cleaning libraries, one ORM merge per record, one commit per page."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import phonenumbers
import requests
from dateutil.parser import ParserError
from dateutil.parser import parse as parse_date
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, Numeric, Text, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

from benchmarks.peers.measured import PAGE, Task, run


class Base(DeclarativeBase):
    """The base class of both tables."""


def text(raw: Any) -> str | None:
    """Return trimmed text."""
    return (str(raw).strip() or None) if raw is not None else None


def email(raw: Any) -> str | None:
    """Return an email address, None for an invalid one."""
    try:
        return validate_email(raw, check_deliverability=False).normalized if raw else None
    except EmailNotValidError:
        return None


def phone(raw: Any) -> str | None:
    """Return a phone number in E.164 form, None for an invalid one."""
    try:
        number = phonenumbers.parse(raw, "US") if raw else None
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else None


def parse_datetime(raw: Any) -> datetime | None:
    """Return a datetime, None for an invalid one."""
    try:
        return parse_date(raw) if raw else None
    except (ParserError, OverflowError):
        return None


def parse_day(raw: Any) -> date | None:
    """Return a date, None for an invalid one."""
    parsed = parse_datetime(raw)
    return parsed.date() if parsed else None


def money(raw: Any) -> Decimal | None:
    """Return an amount."""
    return round(Decimal(str(raw)), 2) if raw is not None else None


def keep_value(raw: Any) -> Any:
    """Return a value that needs no cleaning."""
    return raw


#: The cleaning function and column type of fields that are not text.
KINDS: dict[str, tuple[Any, Any]] = {
    **dict.fromkeys(("EntityID", "PolicyId", "CustomerId", "PriorPolicyID"), (keep_value, BigInteger)),
    **dict.fromkeys(("LocationID", "LOBId", "CarrierId", "MGAId"), (keep_value, Integer)),
    **dict.fromkeys(("isAPerson", "HasBeenModified", "IsDeleted"), (keep_value, Boolean)),
    **dict.fromkeys(("LOBList", "ProducerIDs", "PolicyAgencyFees"), (keep_value, JSONB)),
    **dict.fromkeys(("CreatedOn", "DateLastModified"), (parse_datetime, DateTime)),
    **dict.fromkeys(("DOB", "EffectiveDate", "ExpirationDate"), (parse_day, Date)),
    "TotalPremium": (money, Numeric),
    "Phone": (phone, Text),
    "Email": (email, Text),
}
CONTACT = (
    "EntityID DisplayName BusinessName FirstName MiddleName LastName isAPerson CustomerNo ContactType "
    "ContactTypeDisplay ContactSubType ContactSubTypeDisplay TypeDisplay Status StatusDisplay DOB MaritalStatusID "
    "Phone PhoneType Email PrimaryContact Line1 Line2 City State County Zip Country LocationID AgentName CreatedOn "
    "DateLastModified HasBeenModified"
).split()
POLICY = (
    "PolicyId PolicyNumber CustomerId CustomerName Status EffectiveDate ExpirationDate TotalPremium Description Term "
    "PolicyType PackageType LOB LOBId LOBList WritingCarrier CarrierId MGA MGAId AgentName ProducerIDs PriorPolicyID "
    "PolicyAgencyFees IsDeleted HasBeenModified CreatedOn DateLastModified"
).split()


def table(name: str, fields: list[str]) -> Any:
    """Return the mapped class of a feed; its first field is the key."""
    columns = {
        field.lower(): Column(KINDS.get(field, (text, Text))[1], primary_key=field == fields[0]) for field in fields
    }
    return type(name.capitalize(), (Base,), {"__tablename__": name, **columns})


#: The feeds, each with its table and fields.
FEEDS = {"Contacts": (table("contacts", CONTACT), CONTACT), "Policies": (table("policies", POLICY), POLICY)}


def pages(task: Task, session: requests.Session, feed: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a feed, one call after another."""
    number, last = 0, 1
    while number < last:
        number += 1
        parameters = {
            "startDate": str(task.since),
            "endDate": str(task.until),
            "pageNumber": str(number),
            "pageSize": str(PAGE),
        }
        page = session.get(f"{task.api}/v1/{feed}/LastModifiedCreated", params=parameters, timeout=60).json()
        last = page["PagesTotal"]
        yield page["Data"]


def work(task: Task) -> None:
    """Read, clean and merge every record."""
    engine = create_engine(task.database.replace("postgresql://", "postgresql+psycopg://", 1))
    Base.metadata.create_all(engine)
    form = {"grant_type": "password", "username": "demo", "password": "demo-password"}
    token = requests.post(f"{task.api}/oauth/token", data=form, timeout=60).json()["access_token"]
    with requests.Session() as http, Session(engine) as session:
        http.headers["Authorization"] = f"Bearer {token}"
        for feed, (model, fields) in FEEDS.items():
            cleaning = [(name, name.lower(), KINDS.get(name, (text, Text))[0]) for name in fields]
            for page in pages(task, http, feed):
                for record in page:
                    session.merge(model(**{column: clean(record[name]) for name, column, clean in cleaning}))
                session.commit()
                session.expunge_all()


if __name__ == "__main__":
    run(work, ["requests", "SQLAlchemy", "psycopg", "phonenumbers", "email-validator", "python-dateutil"])
