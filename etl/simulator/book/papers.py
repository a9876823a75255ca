"""Child records of a contact: account, addresses, documents, ACORD forms."""

# ruff: noqa: PLR2004 - shares, rates and amounts of generated data are written where they are used

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import names, stamps
from etl.simulator.book.agency import SimulatedAgency

SOURCES = ("Referral", "Facebook", "Walk In", "Email Campaign", "Google", "Mailer", "Existing client", None)
TITLES = (
    ("Declarations page", "pdf"), ("Signed application", "pdf"), ("Photo of the roof", "jpg"), ("ID cards", "pdf"),
    ("Cancellation request", "pdf"), ("Inspection report", "pdf"), ("Renewal offer", "pdf"), ("E-mail", "msg"),
)  # fmt: skip
FORMS = (
    ("ACORD 90", "2020/01", "Personal Auto Application"), ("ACORD 80", "2016/10", "Homeowner Application"),
    ("ACORD 125", "2016/03", "Commercial Insurance Application"), ("ACORD 25", "2016/03", "Certificate of Liability"),
    ("ACORD 35", "2019/09", "Cancellation Request"),
)  # fmt: skip


def account(dice: random.Random, agency: SimulatedAgency, contact: dict[str, Any]) -> dict[str, Any]:
    """Return `AccountInfo`, with the customer-portal login that nobody may keep."""
    agent = agency.named(contact["AgentName"])
    csr = dice.choice(agency.staff(contact["LocationID"], "CSR") or agency.employees)
    since, source = stamps.read(contact["CreatedOn"]), dice.randrange(len(SOURCES))
    return {
        "CustomerID": contact["EntityID"], "CustomerNo": contact["CustomerNo"], "AgentID": agent.id,
        "Agent": agent.display_name, "CsrID": csr.id, "CSR": csr.display_name, "CustomerPriorityID": 1,
        "CustomerPriority": dice.choice(("Normal", None)), "CustomerSince": stamps.midnight(since.date()),
        "CustomerSinceString": f"{since.month}/{since.day}/{since.year}", "Type": contact["ContactSubType"],
        "OfficeID": contact["LocationID"], "Name": contact["DisplayName"],
        "CustomerSourceID": source + 1 if SOURCES[source] else None, "CustomerSource": SOURCES[source],
        "SourceDetail": "", "CreatedByID": agent.id, "CreatedByName": agent.display_name,
        "CPAccess": dice.random() < 0.3,
        "UserID": f"portal-user-{contact['EntityID']}", "UserPassword": f"portal-{dice.randrange(16**10):010x}",
    }  # fmt: skip


def addresses(dice: random.Random, contact: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the addresses of a contact: where they live, and for one in seven a mailing address too."""
    if not contact["Line1"]:
        return []
    kinds = (("P", "Physical"), ("M", "Mailing")) if dice.random() < 0.15 else (("P", "Physical"),)
    return [_address(dice, contact, n, letter, words) for n, (letter, words) in enumerate(kinds)]


def _address(dice: random.Random, contact: dict[str, Any], n: int, letter: str, words: str) -> dict[str, Any]:
    line1 = contact["Line1"] if n == 0 else f"PO Box {dice.randrange(10, 9000)}"
    town = f"{contact['City']}, {contact['State']} {contact['Zip']}"
    return {
        "AddressID": contact["EntityID"] * 10 + n, "EntityID": contact["EntityID"], "AddressTypeID": letter,
        "AddressType": {"AddressTypeID": letter, "Name": words}, "Line1": line1, "Line2": contact["Line2"],
        "City": contact["City"], "State": contact["State"], "County": contact["County"], "CountryCode": "US",
        "Province": "", "Zip": contact["Zip"], "Latitude": 0.0, "Longitude": 0.0, "Notes": "", "RowSource": "QQ",
        "isPreferred": n == 0, "AddressString": f"{line1} {town}",
    }  # fmt: skip


def documents(
    dice: random.Random, agency: SimulatedAgency, contact: dict[str, Any], numbers: list[str], now: datetime
) -> list[dict[str, Any]]:
    """Return the documents of a contact; some name its policies, several numbers in one text."""
    count = dice.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]
    return [_document(dice, agency, contact, n, numbers, now) for n in range(count)]


def _document(
    dice: random.Random, agency: SimulatedAgency, contact: dict[str, Any], n: int, numbers: list[str], now: datetime
) -> dict[str, Any]:
    title, kind = dice.choice(TITLES)
    added = stamps.between(dice, stamps.read(contact["CreatedOn"]), now)
    policy_numbers = dice.sample(numbers, min(len(numbers), dice.choice((0, 1, 1, 2))))
    return {
        "BlobInfoId": contact["EntityID"] * 10 + n, "Title": title, "Type": kind,
        "AddedBy": dice.choice(agency.employees).display_name, "PolicyNumbers": ", ".join(policy_numbers),
        "DateAdded": stamps.plain(added), "DateAddedFormated": stamps.american(added), "Selected": False,
    }  # fmt: skip


def forms(dice: random.Random, contact: dict[str, Any], policy_ids: list[int], now: datetime) -> list[dict[str, Any]]:
    """Return the ACORD forms of a contact: for a third of them one or two."""
    count = dice.choices((0, 1, 2), (66, 26, 8))[0]
    return [_form(dice, contact, n, policy_ids, now) for n in range(count)]


def _form(dice: random.Random, contact: dict[str, Any], n: int, policy_ids: list[int], now: datetime) -> dict[str, Any]:
    number, edition, words = dice.choice(FORMS)
    key, made = contact["EntityID"] * 10 + n, stamps.between(dice, stamps.read(contact["CreatedOn"]), now)
    locked = dice.random() < 0.4
    return {
        "AcordFormID": key, "AcordTemplateID": str(uuid.uuid5(uuid.NAMESPACE_OID, number)),
        "CustomerID": contact["EntityID"], "PolicyID": dice.choice(policy_ids) if policy_ids else None,
        "EndorsementID": None, "FormNumber": number, "EditionDate": edition, "State": (contact["State"] or "").strip(),
        "Description": words, "Data": f"<Form><Insured>{contact['DisplayName']}</Insured></Form>",
        "CreatedOn": stamps.american(made), "CreatedBy": 501, "SignatureID": key + 1 if locked else None,
        "Locked": locked, "LockedDate": stamps.american(made + timedelta(hours=3)) if locked else "",
        "LockedMethod": "eSignature" if locked else "", "MultipleLossPayees": False,
        "AcordFormLossPayees": [_payee(dice, key)] if dice.random() < 0.2 else [],
    }  # fmt: skip


def _payee(dice: random.Random, form: int) -> dict[str, Any]:
    return {
        "AcordLossPayeeID": form * 10, "AcordFormID": form, "OriginalLossPayeeID": form * 10,
        "Name": f"{names.last_name(dice)} Savings Bank", "PayeeType": "Mortgagee", "Line1": names.street(dice),
        "Line2": "", "City": "", "State": "", "County": "", "Zip": "", "Data": "", "AcordDescription": "", "Email": "",
        "LoanNumber": f"{dice.randrange(10**9):09d}", "IsMortgagee": "True",
    }  # fmt: skip
