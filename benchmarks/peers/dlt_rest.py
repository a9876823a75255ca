"""The dlt candidate: its `rest_api` source, merged into PostgreSQL by upsert, with the fastest settings found."""

import os
from typing import Any

import dlt
import requests
from dlt.destinations import postgres
from dlt.sources.rest_api import rest_api_source

from benchmarks.peers.measured import PAGE, Task, run

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "EXTRACT__WORKERS": "2",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "4",
    "DATA_WRITER__FILE_MAX_ITEMS": "20000",  # the workers of the next step share the files
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}
#: The feeds and their keys.
FEEDS = {"contacts": ("Contacts", "EntityID"), "policies": ("Policies", "PolicyId")}


def resource(task: Task, name: str, path: str, key: str) -> dict[str, Any]:
    """Return the declaration of one feed for the source."""
    return {
        "name": name,
        "primary_key": key,
        "write_disposition": {"disposition": "merge", "strategy": "upsert"},
        "parallelized": True,
        "endpoint": {
            "path": f"v1/{path}/LastModifiedCreated",
            "params": {"startDate": str(task.since), "endDate": str(task.until), "pageSize": PAGE},
            "data_selector": "Data",
            "paginator": {
                "type": "page_number",
                "base_page": 1,
                "page_param": "pageNumber",
                "total_path": "PagesTotal",
            },
        },
    }


def token(task: Task) -> str:
    """Return a token."""
    form = {"grant_type": "password", "username": "demo", "password": "demo-password"}
    return str(requests.post(f"{task.api}/oauth/token", data=form, timeout=60).json()["access_token"])


def work(task: Task) -> None:
    """Run the pipeline; raise when a job failed."""
    client = {"base_url": task.api, "auth": {"type": "bearer", "token": token(task)}}
    resources = [resource(task, name, path, key) for name, (path, key) in FEEDS.items()]
    pipeline = dlt.pipeline(
        "benchmark", pipelines_dir=task.scratch, destination=postgres(task.database), dataset_name="peer"
    )
    source = rest_api_source({"client": client, "resources": resources})
    pipeline.run(source, loader_file_format="csv").raise_on_failed_jobs()


if __name__ == "__main__":
    os.environ.update(SETTINGS)
    run(work, ["dlt"])
