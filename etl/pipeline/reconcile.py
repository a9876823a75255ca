"""Reconciling: after everything was read, what no reading met has vanished at the source and is marked deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, Engine

from etl.catalogue import Resource
from etl.config.settings import Settings
from etl.database.migrate import check_migrated
from etl.errors import UsageError
from etl.events import Note, Watch
from etl.ledger import batches, sweep
from etl.ledger.batches import Batch, Part
from etl.ledger.leases import leased
from etl.ledger.sweep import Sweep
from etl.ledger.unit import Ledger
from etl.load.rows import Target, bury_gone
from etl.models.states import ResourceState, TroubleKind
from etl.resources import CATALOGUE
from etl.resources import resource as named
from etl.window import FIRST_INSTANT


@dataclass(frozen=True)
class Reconciled:
    """What a sweep found, and what was done about it."""

    sweeps: list[Sweep] = field(default_factory=list)
    braked: list[Sweep] = field(default_factory=list)


def reconcile(
    ledger: Ledger, settings: Settings, batch: Batch, parts: Iterable[Part], watch: Watch, *, dry: bool = False
) -> Reconciled:
    """Mark deleted what a finished full reading did not meet, resource by resource, each in one transaction.

    A resource of which too many records would vanish at once is left as it is, and failed: a person has to look.
    """
    done = Reconciled()
    for part in parts:
        resource = named(part.resource)
        if not is_swept(resource, part):
            continue
        found = ledger.read(partial(sweep.measure, resource=resource, tenant=batch.tenant, batch_id=batch.id))
        done.sweeps.append(found)
        if found.is_braked(settings.etl_delete_brake):
            done.braked.append(found)
            pull_brake(ledger, batch, found, watch)
        elif found.vanished:
            if not dry:
                ledger.commit(partial(bury_vanished, resource=resource, batch=batch))
            fate = "would be marked deleted" if dry else "are marked deleted"
            watch(Note(f"{resource.name}: {found.vanished} of {found.known} records vanished and {fate}."))
    return done


def swept_resources(names: Iterable[str]) -> tuple[Resource, ...]:
    """Return the resources, of these or of all, that are read as one list, so that what is not in it has vanished.

    Raises UsageError for one that is not: what is read per parent is a complete set with every answer.
    """
    chosen = [named(name) for name in names]
    for one in chosen:
        if not is_one_list(one):
            raise UsageError(f"{one.name} is read in complete sets, and needs no reconciling.")
    return tuple(chosen) or tuple(one for one in CATALOGUE if is_one_list(one))


def is_one_list(resource: Resource) -> bool:
    """Tell whether the records of a resource are read as one list."""
    return bool(resource.endpoints) and resource.parent is None and resource.nested is None


def is_swept(resource: Resource, part: Part) -> bool:
    """Tell whether every id of a resource was read: from the first instant on, to the end, and one list for all."""
    complete = part.complete and part.status is ResourceState.DONE and part.window.start <= FIRST_INSTANT
    return complete and is_one_list(resource)


def bury_vanished(connection: Connection, resource: Resource, batch: Batch) -> None:
    """Mark a resource's vanished records gone and their rows deleted."""
    sweep.mark_gone(connection, resource, batch.tenant, batch.id)
    bury_gone(connection, Target(batch.tenant, batch.id, batch.window), resource)


def pull_brake(ledger: Ledger, batch: Batch, found: Sweep, watch: Watch) -> None:
    """Fail a resource whose sweep cannot be believed."""
    words = (
        f"{found.vanished} of {found.known} records were not met by the full reading; so many at once are not marked "
        "deleted. If they are really gone, raise ETL_DELETE_BRAKE for one run of `qqetl reconcile`."
    )
    watch(Note(f"{found.resource}: {words}"))
    failed = partial(batches.mark, status=ResourceState.FAILED, error=words, trouble=TroubleKind.BRAKE_PULLED)
    ledger.commit(partial(failed, batch_id=batch.id, resource=found.resource))


def undo(engine: Engine, settings: Settings, batch_id: UUID) -> Mapping[str, int]:
    """Take back what a batch marked as vanished, and return how many rows of each resource live again.

    Raises UsageError for an unknown batch, LeaseHeld while another run is at work.
    """
    check_migrated(engine)
    swept = swept_resources(())
    with leased(engine, settings.etl_tenant, [one.name for one in swept]) as lease:
        ledger = Ledger(engine, settings.etl_tenant, lease)
        batch = ledger.read(partial(batches.load, batch_id=batch_id))
        if not batch.options.get("full"):
            raise UsageError(f"Batch {batch_id} did not read everything, so it marked nothing as vanished.")
        back = partial(sweep.bring_back, tenant=ledger.tenant, batch_id=batch_id)
        return {one.name: ledger.commit(partial(back, resource=one)) for one in swept}
