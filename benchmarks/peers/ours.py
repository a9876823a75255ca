"""Our candidate: `sync` as a user's program calls it, with default settings except for the rate limit."""

from benchmarks.peers.measured import Task, run
from etl.config.logs import configure_logging
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.pipeline import Options, sync

FEEDS = ("contacts", "policies")
#: The options of each step; a resource that is read per parent needs the parents to exist already.
STEPS = {
    "full": Options(resources=FEEDS),
    "unchanged": Options(resources=FEEDS, full=True),
    "changed": Options(resources=FEEDS),
    "parents": Options(resources=("policies",)),
    "children": Options(resources=("policy_details",)),
}


def settings(task: Task) -> Settings:
    """Return the settings of a run."""
    return Settings.load(
        database_url=task.database,
        qqcatalyst_api_url=f"{task.api}/v1",
        qqcatalyst_token_url=f"{task.api}/oauth/token",
        qqcatalyst_client_id="demo",
        qqcatalyst_client_secret="demo-secret",  # noqa: S106 (the page server accepts any)
        qqcatalyst_username="demo",
        qqcatalyst_password="demo-password",  # noqa: S106 (as above)
        etl_rate=0,
        log_level="ERROR",  # the page server's clock is years behind on purpose
    )


def work(task: Task) -> None:
    """Run one sync; raise when it is not complete."""
    run_settings = settings(task)
    configure_logging(run_settings.log)
    engine = make_engine(task.database)
    summary = sync(engine, run_settings, options=STEPS[task.step])
    engine.dispose()
    if summary.exit_status:
        raise SystemExit(f"The sync ended as {summary.batch.status}: {summary.batch.error}")


if __name__ == "__main__":
    run(work, ["qqcatalyst-etl", "psycopg", "SQLAlchemy", "msgspec", "aiohttp"])
