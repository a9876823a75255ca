"""Which resources a run reads: the named ones, ETL_RESOURCES, and what the credentials give access to."""

from collections.abc import Iterable

from etl.config.settings import Settings
from etl.models.base import PRIMARY
from etl.resources import CATALOGUE, PROSPECT_DETAILS, find_resource, selected

#: Why a resource of the enterprise family is not read with the token of a user.
NEEDS_ENTERPRISE_ACCESS = "needs enterprise access"


def resource_names(resources: Iterable[str], settings: Settings) -> list[str]:
    """Return the names of the resources to read: those named, else the default ones as ETL_RESOURCES changes them.

    Raises UsageError for an unknown name.
    """
    if requested := tuple(resources):
        return [resource.name for resource in selected(requested)]
    added, excluded = parse_choices(settings)
    wanted = {entry.name for entry in CATALOGUE if not entry.is_optional} | added | find_fallback_sources(added)
    return [entry.name for entry in CATALOGUE if entry.name in wanted - excluded]


def find_fallback_sources(added: Iterable[str]) -> set[str]:
    """Return the optional resources that fill the tables of added ones too, such as the notes of policies for notes."""
    entries = [find_resource(name) for name in added]
    models = {entry.model for entry in entries if entry.is_optional and entry.data_source == PRIMARY}
    fallbacks = (entry for entry in CATALOGUE if entry.is_optional and entry.data_source.is_fallback)
    return {entry.name for entry in fallbacks if entry.model in models}


def find_out_of_reach(settings: Settings, resources: Iterable[str]) -> list[str]:
    """Return the resources that need enterprise access, where these settings have none and nobody names them."""
    if settings.qqcatalyst_auth == "enterprise":
        return []
    included, _ = parse_choices(settings)
    wanted = {*included, *resources}
    return [entry.name for entry in CATALOGUE if entry.needs_enterprise_access and entry.name not in wanted]


def parse_choices(settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that ETL_RESOURCES adds and leaves out; raises UsageError for an unknown name."""
    named = [choice for choice in settings.etl_resources.split(",") if choice and choice[1:] != PROSPECT_DETAILS]
    choices = [(choice[0], find_resource(choice[1:]).name) for choice in named]
    added, excluded = (frozenset(name for sign, name in choices if sign == wanted) for wanted in "+-")
    return added, excluded
