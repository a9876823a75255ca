"""Lines of business: what they are called, what they cost, what they cover, what they pay."""

# ruff: noqa: FBT003 - a table of values, each under the name of its column
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cover:
    """A coverage of a line of business, with its share of the premium."""

    code: str
    words: str
    limits: tuple[tuple[float, float | None], ...]
    deductibles: tuple[float | None, ...]
    share: int
    by_vehicle: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of business as an agency sets it up."""

    id: int
    name: str
    code: str
    acord: str
    low: int
    high: int
    new_rate: float
    renewal_rate: float
    weight: int
    commercial: bool
    covers: tuple[Cover, ...]
    group: str | None = None
    has_equipment: bool = False

    def item(self) -> dict[str, Any]:
        """Return the line as an item of a policy's `LOBList`."""
        return {
            "ID": self.id, "Name": self.name, "Code": self.code, "AcordCode": self.acord, "InternalCode": self.code,
            "HasDetails": self.group is not None, "IsPackage": self.code == "BOP", "LOBDetailsGroup": self.group,
        }  # fmt: skip


_NONE = (None,)
_SMALL = (250.0, 500.0, 1000.0)
_LARGE = (1000.0, 2500.0, 5000.0)
_MILLION = ((1_000_000.0, 2_000_000.0), (500_000.0, 1_000_000.0))
_SPLIT = ((25_000.0, 50_000.0), (50_000.0, 100_000.0), (100_000.0, 300_000.0), (250_000.0, 500_000.0))

_AUTO = (
    Cover("BI", "Bodily injury", _SPLIT, _NONE, 34),
    Cover("PD", "Property damage", ((25_000.0, None), (50_000.0, None), (100_000.0, None)), _NONE, 18),
    Cover("UM", "Uninsured motorist", _SPLIT, _NONE, 10),
    Cover("COMP", "Comprehensive", ((50_000.0, None),), _SMALL, 14, by_vehicle=True),
    Cover("COLL", "Collision", ((50_000.0, None),), _SMALL, 24, by_vehicle=True),
)
_HOME = (
    Cover("DWELL", "Dwelling", ((250_000.0, None), (325_000.0, None), (410_000.0, None)), _LARGE, 62),
    Cover("PP", "Personal property", ((75_000.0, None), (125_000.0, None)), _LARGE, 20),
    Cover("PL", "Personal liability", ((100_000.0, None), (300_000.0, None), (500_000.0, None)), _NONE, 13),
    Cover("MEDPM", "Medical payments", ((1_000.0, None), (5_000.0, None)), _NONE, 5),
)
_LIABILITY = (
    Cover("EAOCC", "Each occurrence", _MILLION, _NONE, 70),
    Cover("PRDCO", "Products and completed operations", _MILLION, _NONE, 30),
)
_PROPERTY = (
    Cover("BLDG", "Building", ((500_000.0, None), (850_000.0, None), (1_400_000.0, None)), _LARGE, 65),
    Cover("BPP", "Business personal property", ((50_000.0, None), (150_000.0, None)), _LARGE, 35),
)
_FLOOD = (Cover("FLDBL", "Building, flood", ((250_000.0, None),), _LARGE, 100),)
_UMBRELLA = (Cover("UMB", "Umbrella liability", ((1_000_000.0, None), (2_000_000.0, None)), _NONE, 100),)
_COMPENSATION = (Cover("WCEL", "Employers' liability", ((500_000.0, 1_000_000.0),), _NONE, 100),)
_MARINE = (Cover("EQUIP", "Scheduled equipment", ((100_000.0, None), (250_000.0, None)), _LARGE, 100),)
_BOAT = (
    Cover("HULL", "Hull", ((30_000.0, None), (60_000.0, None)), _LARGE, 70),
    Cover("PI", "Protection and indemnity", _MILLION, _NONE, 30),
)
_PROFESSIONAL = (Cover("EO", "Errors and omissions", _MILLION, _LARGE, 100),)

#: The ids seem to be the vendor's, one list for all agencies (facts 9.5): 6 is personal auto.
LINES = (
    Line(6, "Personal Auto", "PA", "AUTOP", 780, 3900, 12.0, 10.0, 42, False, _AUTO, "PersonalAuto"),
    Line(2, "Homeowners", "HO", "HOME", 950, 5200, 15.0, 12.5, 26, False, _HOME, "Homeowners"),
    Line(3, "Renters", "HO4", "HOME", 140, 420, 15.0, 15.0, 6, False, _HOME[1:]),
    Line(4, "Dwelling Fire", "DF", "DFIRE", 700, 3100, 14.0, 12.0, 6, False, _HOME),
    Line(5, "Flood", "FLD", "FLOOD", 380, 2400, 15.0, 15.0, 6, False, _FLOOD),
    Line(9, "Personal Umbrella", "UMB", "PUMBR", 160, 640, 12.0, 10.0, 4, False, _UMBRELLA),
    Line(7, "Motorcycle", "MC", "MCYCL", 180, 900, 10.0, 10.0, 4, False, _AUTO, "PersonalAuto"),
    Line(8, "Watercraft", "BT", "BOAT", 300, 1900, 12.5, 12.5, 3, False, _BOAT),
    Line(21, "General Liability", "GL", "CGL", 620, 9800, 15.0, 12.0, 30, True, _LIABILITY),
    Line(22, "Commercial Auto", "CA", "AUTOB", 2400, 18500, 12.0, 10.0, 18, True, _AUTO, "CommercialAuto", True),
    Line(23, "Workers Compensation", "WC", "WORK", 900, 21000, 8.0, 7.0, 16, True, _COMPENSATION),
    Line(24, "Business Owners", "BOP", "BOP", 750, 6400, 15.0, 13.0, 18, True, _LIABILITY + _PROPERTY, "BOP", True),
    Line(25, "Commercial Property", "CP", "PROPC", 1800, 24000, 14.0, 12.0, 8, True, _PROPERTY, None, True),
    Line(26, "Inland Marine", "IM", "INMRC", 400, 5200, 15.0, 12.5, 6, True, _MARINE, "InlandMarine", True),
    Line(27, "Professional Liability", "PROF", "EO", 900, 7200, 12.5, 10.0, 4, True, _PROFESSIONAL),
)
BY_ID = {line.id: line for line in LINES}
GARAGE_LINES = frozenset({6, 7})  #: the lines whose policies have rows in the enterprise driver and vehicle feeds
