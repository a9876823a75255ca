"""Kinds of value: one file each, with cleaning, column type, examples and violation messages."""

from etl.values.base import Kind, Severity, Violation
from etl.values.boolean import Boolean
from etl.values.coded import Code
from etl.values.date import Date
from etl.values.decimals import Decimals
from etl.values.email_address import Email
from etl.values.guid import Uuid
from etl.values.identifier import SourceId, source_id
from etl.values.integer import Integer
from etl.values.jsonb import Json
from etl.values.money import Money
from etl.values.percent import Percent
from etl.values.phone import Phone
from etl.values.reference import Reference
from etl.values.state import State
from etl.values.text import Text
from etl.values.text_list import TextList
from etl.values.timestamp import Timestamp
from etl.values.url import Url
from etl.values.vin import Vin, is_valid_vin
from etl.values.word import Word
from etl.values.year import Year
from etl.values.zip import Zip

__all__ = [
    "Boolean",
    "Code",
    "Date",
    "Decimals",
    "Email",
    "Integer",
    "Json",
    "Kind",
    "Money",
    "Percent",
    "Phone",
    "Reference",
    "Severity",
    "SourceId",
    "State",
    "Text",
    "TextList",
    "Timestamp",
    "Url",
    "Uuid",
    "Vin",
    "Violation",
    "Word",
    "Year",
    "Zip",
    "is_valid_vin",
    "source_id",
]
