"""US states, territories and military districts and Canadian provinces as two-letter codes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from etl.values.base import Kind, Violation
from etl.values.text import clean_word

#: Code and name, as USPS Publication 28 (appendix B) and Canada Post list them.
STATES = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "FM": "Federated States of Micronesia",
    "GU": "Guam",
    "MH": "Marshall Islands",
    "MP": "Northern Mariana Islands",
    "PW": "Palau",
    "PR": "Puerto Rico",
    "VI": "Virgin Islands",
    "AA": "Armed Forces Americas",
    "AE": "Armed Forces Europe",
    "AP": "Armed Forces Pacific",
    "AB": "Alberta",
    "BC": "British Columbia",
    "MB": "Manitoba",
    "NB": "New Brunswick",
    "NL": "Newfoundland and Labrador",
    "NT": "Northwest Territories",
    "NS": "Nova Scotia",
    "NU": "Nunavut",
    "ON": "Ontario",
    "PE": "Prince Edward Island",
    "QC": "Quebec",
    "SK": "Saskatchewan",
    "YT": "Yukon",
}
_OTHER_NAMES = {
    "WASHINGTON DC": "DC",
    "WASHINGTON STATE": "WA",
    "US VIRGIN ISLANDS": "VI",
    "MICRONESIA": "FM",
    "NEWFOUNDLAND": "NL",
    "YUKON TERRITORY": "YT",
    "PQ": "QC",
}
_CODES = {code: code for code in STATES}
_BY_TEXT = _CODES | {name.upper(): code for code, name in STATES.items()} | _OTHER_NAMES
_LONGEST = 100


@dataclass(frozen=True)
class State(Kind):
    """The two-letter code of a US state, territory or military district, or of a Canadian province."""

    name: ClassVar[str] = "state"
    noun: ClassVar[str] = "a state"
    accepts: ClassVar[tuple[tuple[Any, Any], ...]] = (
        ("FL", "FL"),
        ("fl", "FL"),
        ("FL        ", "FL"),
        ("Florida", "FL"),
        ("new  york", "NY"),
        ("N.Y.", "NY"),
        ("D.C.", "DC"),
        ("Washington, D.C.", "DC"),
        ("Puerto Rico", "PR"),
        ("AE", "AE"),
        ("Armed Forces Pacific", "AP"),
        ("Qu\u00e9bec", "QC"),
        ("on", "ON"),
        (None, None),
        ("  ", None),
        ("--", None),
        ("N/A", None),
    )
    rejects: ClassVar[tuple[tuple[Any, str], ...]] = (
        ("ZZ", "state-unknown"),
        ("Floridaa", "state-unknown"),
        ("\ufb02", "state-unknown"),
        ("\u017fc", "state-unknown"),
        ("Miami", "state-unknown"),
        (12, "state-unknown"),
        ("x" * 101, "state-too-long"),
        (True, "state-type"),
        (["FL"], "state-type"),
    )

    def clean(self, raw: Any) -> str | Violation | None:
        """Return the two-letter code, None when absent, or a Violation (codes of USPS and Canada Post)."""
        if type(raw) is str and raw in _CODES:
            return raw
        text = clean_word(raw, type(self), _LONGEST)
        if not isinstance(text, str):
            return text
        if text.lower() == "qu\u00e9bec":
            return "QC"
        # Some other letters have ASCII capitals, such as a long s; they are in no name.
        bare = text.replace(".", "").replace(",", "").upper() if text.isascii() else ""
        return _BY_TEXT.get(bare) or self.violation(
            "unknown", "is not a state, territory, military district or province"
        )
