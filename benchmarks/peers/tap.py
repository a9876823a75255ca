"""A Singer tap for the two feeds, with explicit schemas, as usually written with the SDK."""

import sys
from collections.abc import Iterable
from typing import Any

import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BasePageNumberPaginator

from benchmarks.peers.measured import PAGE

CONTACT_TEXTS = (
    "DisplayName BusinessName FirstName MiddleName LastName CustomerNo ContactType ContactTypeDisplay ContactSubType "
    "ContactSubTypeDisplay TypeDisplay Status StatusDisplay DOB MaritalStatusID Phone PhoneType Email PrimaryContact "
    "Line1 Line2 City State County Zip Country AgentName CreatedOn DateLastModified"
).split()
POLICY_TEXTS = (
    "PolicyNumber CustomerName Status EffectiveDate ExpirationDate Description Term PolicyType PackageType LOB "
    "WritingCarrier MGA AgentName CreatedOn DateLastModified"
).split()


def schema(texts: Iterable[str], **others: Any) -> dict[str, Any]:
    """Return the JSON schema of a stream: text properties, then others."""
    typed = [*((name, th.StringType) for name in texts), *others.items()]
    return th.PropertiesList(*(th.Property(name, kind) for name, kind in typed)).to_dict()


class Pages(BasePageNumberPaginator):
    """Continues to the last page according to the envelope."""

    def has_more(self, response: requests.Response) -> bool:
        """Return whether another page follows; the envelope's totals follow the records."""
        tail = response.content[-200:]
        return self.current_value < int(tail.partition(b'"PagesTotal":')[2].partition(b",")[0])


class FeedStream(RESTStream):
    """One feed."""

    @property
    def url_base(self) -> str:
        """The API's root."""
        return f"{self.config['api']}/v1"

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """The authenticator of a call."""
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> Pages:
        """Return the paginator."""
        return Pages(1)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:  # noqa: ARG002 (the SDK's)
        """Return the parameters of a call."""
        config = self.config
        return {
            "startDate": config["since"],
            "endDate": config["until"],
            "pageNumber": next_page_token,
            "pageSize": PAGE,
        }

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """Return the records of a page, without the SDK's slower path search."""
        return response.json()["Data"]


class Contacts(FeedStream):
    """Contacts."""

    name = "contacts"
    path = "/Contacts/LastModifiedCreated"
    primary_keys = ("EntityID",)
    schema = schema(
        CONTACT_TEXTS,
        EntityID=th.IntegerType,
        isAPerson=th.BooleanType,
        LocationID=th.IntegerType,
        HasBeenModified=th.BooleanType,
    )


class Policies(FeedStream):
    """Policies; lists stay JSON."""

    name = "policies"
    path = "/Policies/LastModifiedCreated"
    primary_keys = ("PolicyId",)
    schema = schema(
        POLICY_TEXTS,
        PolicyId=th.IntegerType,
        CustomerId=th.IntegerType,
        TotalPremium=th.NumberType,
        LOBId=th.IntegerType,
        LOBList=th.ArrayType(th.ObjectType(additional_properties=True)),
        CarrierId=th.IntegerType,
        MGAId=th.IntegerType,
        ProducerIDs=th.ArrayType(th.IntegerType),
        PriorPolicyID=th.IntegerType,
        PolicyAgencyFees=th.ArrayType(th.ObjectType(additional_properties=True)),
        IsDeleted=th.BooleanType,
        HasBeenModified=th.BooleanType,
    )


class BenchmarkTap(Tap):
    """Both feeds."""

    name = "tap-benchmark"
    config_jsonschema = th.PropertiesList(
        *(th.Property(name, th.StringType, required=True) for name in ("api", "token", "since", "until"))
    ).to_dict()

    def discover_streams(self) -> list[FeedStream]:
        """Return the streams."""
        return [Contacts(self), Policies(self)]


def main() -> None:
    """Run the tap after a line on standard input, so that imports are not measured."""
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    sys.stdin.readline()
    BenchmarkTap.cli()


if __name__ == "__main__":
    main()
