"""The pipeline: sync, retry, replay and their plan, from the API to production."""

from etl.pipeline.options import Options, Plan
from etl.pipeline.plan import plan
from etl.pipeline.replay import Replayed, replay
from etl.pipeline.summary import Summary
from etl.pipeline.sync import retry, sync
from etl.pipeline.watcher import Watcher

__all__ = ["Options", "Plan", "Replayed", "Summary", "Watcher", "plan", "replay", "retry", "sync"]
