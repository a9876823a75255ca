"""Details of one contact: account, detail summary, addresses, phones, emails, documents, files, ACORD forms."""

# ruff: noqa: PLR2004 - shares, rates and amounts of a made-up book are written where they are used

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from etl.simulator.book import dates, names
from etl.simulator.book.agency import SimulatedAgency

Item = dict[str, Any]
Related = Callable[[Item], list[int]]  #: finds the policies that a document names

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

MARITAL_STATUSES = {"S": "Single", "M": "Married", "D": "Divorced", "W": "Widowed"}
TASKS = ("Call the client about the renewal", "Request the inspection report", "Follow up on the missing signature")
COMMENTS = (
    "Client called about the deductible.", "Sent the ID cards by email.", "Left a voicemail about the payment.",
    "Reviewed coverage with the insured.", "Received the signed application.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoteSubject:
    """Whom a note is about: a contact, and perhaps one of its policies."""

    contact_id: int
    policy_id: int | None = None

    @property
    def key(self) -> int:
        """The id of the record that the note is kept with."""
        return self.policy_id or self.contact_id


def account(dice: random.Random, agency: SimulatedAgency, contact: dict[str, Any]) -> dict[str, Any]:
    """Return `AccountInfo`, with the customer-portal login that nobody may keep."""
    agent = agency.employee_by_name(contact["AgentName"])
    csr = dice.choice(agency.staff(contact["LocationID"], "CSR") or agency.employees)
    since, source = dates.read(contact["CreatedOn"]), dice.randrange(len(SOURCES))
    return {
        "CustomerID": contact["EntityID"], "CustomerNo": contact["CustomerNo"], "AgentID": agent.id,
        "Agent": agent.display_name, "CsrID": csr.id, "CSR": csr.display_name, "CustomerPriorityID": 1,
        "CustomerPriority": dice.choice(("Normal", None)), "CustomerSince": dates.midnight(since.date()),
        "CustomerSinceString": dates.american_day(since), "Type": contact["ContactSubType"] or contact["ContactType"],
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


def detail_summary(dice: random.Random, agency: SimulatedAgency, contact: Item) -> Item:
    """Return `CustomerDetailSummary` (field names: facts 9.6), with numbers that nobody may keep."""
    agent = agency.employee_by_name(contact["AgentName"])
    csr = dice.choice(agency.staff(contact["LocationID"], "CSR") or agency.employees)
    is_person, source = bool(contact["FirstName"]), dice.randrange(len(SOURCES))
    letter = contact["ContactSubType"] or contact["ContactType"]
    return {
        "EntityID": contact["EntityID"], "IsPerson": is_person, "FirstName": contact["FirstName"],
        "MiddleName": contact["MiddleName"], "LastName": contact["LastName"], "DOB": contact["DOB"],
        "MaritalStatusID": contact["MaritalStatusID"],
        "MaritalStatus": MARITAL_STATUSES.get(contact["MaritalStatusID"] or ""),
        "Gender": dice.choice(("F", "M")) if is_person else None, "BusinessName": contact["BusinessName"],
        "LocationID": contact["LocationID"], "CustomerSourceID": source + 1 if SOURCES[source] else None,
        "SourceDetail": "", "EntityStatus": contact["Status"], "CustomerSTatus": contact["Status"],
        "Prospect": letter == "P", "CustomerNo": contact["CustomerNo"],
        "CustomerSince": dates.midnight(dates.read(contact["CreatedOn"]).date()), "AgentID": agent.id,
        "AgentName": agent.display_name, "CSRID": csr.id, "CSRName": csr.display_name, "Type": letter,
        "PreferredLanguageCode": dice.choices(("EN", "ES", None), (70, 20, 10))[0],
        "DisplayName": contact["DisplayName"], "Salutation": dice.choice(("Mr.", "Ms.", None)) if is_person else None,
        "FEIN": None if is_person else f"59-{dice.randrange(10**7):07d}",
        # A number that begins with 9 is never issued, so none of these belongs to a living person.
        "SSN": f"9{dice.randrange(10, 50)}-{dice.randrange(1, 99):02d}-{dice.randrange(1, 9999):04d}"
        if is_person
        else None,
        "DriverLicenseNo": f"D{dice.randrange(10**12):012d}" if is_person else None,
    }  # fmt: skip


def phones(dice: random.Random, contact: Item) -> list[Item]:
    """Return the phone numbers of a contact. The call was seen; its fields are assumed."""
    if not contact["Phone"]:
        return []
    numbers = [(contact["PhoneType"] or "Home", contact["Phone"])]
    if dice.random() < 0.3:
        numbers.append(("Work", names.phone(dice, "800")))
    return [
        {
            "PhoneID": contact["EntityID"] * 10 + n, "EntityID": contact["EntityID"], "PhoneTypeID": kind[0],
            "PhoneType": {"PhoneTypeID": kind[0], "Name": kind}, "PhoneNumber": number, "Extension": "", "Notes": "",
            "RowSource": "QQ", "isPreferred": n == 0,
        }
        for n, (kind, number) in enumerate(numbers)
    ]  # fmt: skip


def emails(dice: random.Random, contact: Item) -> list[Item]:
    """Return the email addresses of a contact. The call was seen; its fields are assumed."""
    if not (contact["Email"] or "").strip():
        return []
    addresses_of_contact = [("Home", contact["Email"])]
    if dice.random() < 0.2:
        addresses_of_contact.append(("Work", f"client{contact['EntityID']}@example.org"))
    return [
        {
            "EmailID": contact["EntityID"] * 10 + n, "EntityID": contact["EntityID"], "EmailTypeID": kind[0],
            "EmailType": {"EmailTypeID": kind[0], "Name": kind}, "EmailAddress": address, "Notes": "",
            "RowSource": "QQ", "isPreferred": n == 0,
        }
        for n, (kind, address) in enumerate(addresses_of_contact)
    ]  # fmt: skip


def tasks(
    dice: random.Random, agency: SimulatedAgency, contact: Item, policy_ids: list[int], now: datetime
) -> list[Item]:
    """Return the tasks about a contact. The call was seen; its fields are assumed."""
    count = dice.choices((0, 1, 2), (60, 28, 12))[0]
    return [_task(dice, agency, contact, n, policy_ids, now) for n in range(count)]


def _task(
    dice: random.Random, agency: SimulatedAgency, contact: Item, n: int, policy_ids: list[int], now: datetime
) -> Item:
    assignee = dice.choice(agency.employees)
    created = dates.between(dice, dates.read(contact["CreatedOn"]), now)
    is_done = dice.random() < 0.6
    return {
        "Id": contact["EntityID"] * 10 + n, "Subject": dice.choice(TASKS), "Description": "",
        "Status": "Completed" if is_done else "Open", "Priority": dice.choice(("Normal", "High")),
        "DueDate": dates.midnight((created + timedelta(days=7)).date()),
        "CompletedOn": dates.plain(min(created + timedelta(days=3), now)) if is_done else None,
        "AssignedToId": assignee.id, "AssignedTo": assignee.display_name, "ContactId": contact["EntityID"],
        "PolicyId": dice.choice(policy_ids) if policy_ids and dice.random() < 0.5 else None,
        "CreatedBy": assignee.display_name, "CreatedOn": dates.plain(created),
    }  # fmt: skip


def notes(
    dice: random.Random, agency: SimulatedAgency, about: NoteSubject, since: datetime, now: datetime
) -> list[Item]:
    """Return the notes about a contact or a policy (field names: facts 3.1)."""
    count = dice.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]
    return [_note(dice, agency, about, n, dates.between(dice, since, now)) for n in range(count)]


def _note(dice: random.Random, agency: SimulatedAgency, about: NoteSubject, n: int, created: datetime) -> Item:
    author = dice.choice(agency.employees)
    is_edited = dice.random() < 0.2
    key = about.key * 10 + n
    return {
        "Id": key, "Comment": dice.choice(COMMENTS), "CreatedBy": author.display_name, "EmployeeId": author.id,
        "CreatedOn": dates.plain(created), "ModifiedAt": dates.plain(created),
        "ModifiedBy": author.display_name if is_edited else None, "ParentId": key - 1 if n and is_edited else None,
        "AssignedPolicyId": about.policy_id, "AssignedContactId": about.contact_id,
        "Important": dice.random() < 0.1, "IsPinned": dice.random() < 0.05, "RelatedNotes": [],
        "NotesHistories": None, "BulkInsertId": None, "BulkInsertSessionId": None,
    }  # fmt: skip


def files(
    dice: random.Random, agency: SimulatedAgency, documents_of_contact: list[Item], related: Related
) -> list[Item]:
    """Return the documents of a contact as `BlobInfoDTO` (field names: facts 9.6)."""
    return [_file(dice, agency, document, related(document)) for document in documents_of_contact]


def _file(dice: random.Random, agency: SimulatedAgency, document: Item, policy_ids: list[int]) -> Item:
    key = document["BlobInfoId"]
    return {
        "Id": key, "BlobContainerInfoId": key // 10, "FileName": f"{names.slug(document['Title'])}.{document['Type']}",
        "DisplayName": document["Title"], "FileType": document["Type"], "FileSize": dice.randrange(2_000, 4_000_000),
        "CreatedOn": document["DateAdded"], "CreatedBy": document["AddedBy"],
        "CreatedById": agency.employee_by_name(document["AddedBy"]).id, "EntityId": key // 10,
        "FileRelation": "Policy" if policy_ids else "Contact", "Active": dice.random() > 0.03, "Description": "",
        "AppCreated": False, "RelatedPolicyIDs": policy_ids,
        "CategoryDescriptor": dice.choice(("Policy", "Claims", None)), "Readonly": False, "UsageCode": None,
        "FolderId": None, "Tags": None, "BlobUrl": f"https://files.example.com/{key}",
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
    added = dates.between(dice, dates.read(contact["CreatedOn"]), now)
    policy_numbers = dice.sample(numbers, min(len(numbers), dice.choice((0, 1, 1, 2))))
    return {
        "BlobInfoId": contact["EntityID"] * 10 + n, "Title": title, "Type": kind,
        "AddedBy": dice.choice(agency.employees).display_name, "PolicyNumbers": ", ".join(policy_numbers),
        "DateAdded": dates.plain(added), "DateAddedFormated": dates.american(added), "Selected": False,
    }  # fmt: skip


def forms(dice: random.Random, contact: dict[str, Any], policy_ids: list[int], now: datetime) -> list[dict[str, Any]]:
    """Return the ACORD forms of a contact: for a third of them one or two."""
    count = dice.choices((0, 1, 2), (66, 26, 8))[0]
    return [_form(dice, contact, n, policy_ids, now) for n in range(count)]


def _form(dice: random.Random, contact: dict[str, Any], n: int, policy_ids: list[int], now: datetime) -> dict[str, Any]:
    number, edition, words = dice.choice(FORMS)
    key, made = contact["EntityID"] * 10 + n, dates.between(dice, dates.read(contact["CreatedOn"]), now)
    locked = dice.random() < 0.4
    return {
        "AcordFormID": key, "AcordTemplateID": str(uuid.uuid5(uuid.NAMESPACE_OID, number)),
        "CustomerID": contact["EntityID"], "PolicyID": dice.choice(policy_ids) if policy_ids else None,
        "EndorsementID": None, "FormNumber": number, "EditionDate": edition, "State": (contact["State"] or "").strip(),
        "Description": words, "Data": f"<Form><Insured>{contact['DisplayName']}</Insured></Form>",
        "CreatedOn": dates.american(made), "CreatedBy": 501, "SignatureID": key + 1 if locked else None,
        "Locked": locked, "LockedDate": dates.american(made + timedelta(hours=3)) if locked else "",
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
