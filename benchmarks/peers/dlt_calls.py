"""The dlt candidate for calls: its `rest_api` source reads the feeds, and details for each record, under the limit."""

import argparse
import os
import tempfile
from typing import Any

import dlt
import requests
from dlt.destinations import postgres
from dlt.sources.rest_api import rest_api_source

from benchmarks.peers.dlt_rest import FEEDS, SETTINGS
from benchmarks.peers.measured import DATABASE, PAGE

#: Details: the parent, the field of its id, and the path of the call.
DETAILS = {
    "account_info": ("contacts", "EntityID", "v1/Contacts/{parent}/AccountInfo"),
    "policy_info": ("policies", "PolicyId", "v1/Policies/{parent}/PolicyInfo"),
    "quotes": ("policies", "PolicyId", "v1/Policies/{parent}/Quotes"),
    "adjustments": ("policies", "PolicyId", "v1/Policies/{parent}/Adjustments"),
}


def feed(name: str, path: str, key: str) -> dict[str, Any]:
    """Return the declaration of a feed."""
    days = {"startDate": "2000-01-01", "endDate": "2099-01-01", "pageSize": PAGE}
    paging = {"type": "page_number", "base_page": 1, "page_param": "pageNumber", "total_path": "PagesTotal"}
    endpoint = {"path": f"v1/{path}/LastModifiedCreated", "params": days, "data_selector": "Data", "paginator": paging}
    return {"name": name, "primary_key": key, "write_disposition": "merge", "endpoint": endpoint}


def detail(name: str, parent: str, key: str, path: str) -> dict[str, Any]:
    """Return the declaration of details that are read with one call for each record of a feed."""
    resolved = {"type": "resolve", "resource": parent, "field": key}
    endpoint = {"path": path, "params": {"parent": resolved}, "paginator": "single_page"}
    return {"name": name, "endpoint": endpoint}


def main() -> None:
    """Read everything once; an error ends the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", required=True)
    api = parser.parse_args().api
    form = {
        "grant_type": "password", "username": "demo", "password": "demo-password",
        "client_id": "demo", "client_secret": "demo-secret",
    }  # fmt: skip
    token = requests.post(f"{api}/oauth/token", data=form, timeout=60).json()["access_token"]
    resources = [
        *(feed(name, path, key) for name, (path, key) in FEEDS.items()),
        *(detail(name, *declared) for name, declared in DETAILS.items()),
    ]
    source = rest_api_source(
        {"client": {"base_url": api, "auth": {"type": "bearer", "token": token}}, "resources": resources}
    )
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = dlt.pipeline(
            "calls", pipelines_dir=scratch, destination=postgres(os.environ[DATABASE]), dataset_name="peer"
        )
        pipeline.run(source).raise_on_failed_jobs()


if __name__ == "__main__":
    os.environ.update(SETTINGS)
    main()
