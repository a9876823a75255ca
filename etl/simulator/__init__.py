"""The QQCatalyst simulator: a made-up agency over HTTP, for the demo and the tests."""

from etl.simulator.access import ASSUMED_CALLS, ASSUMED_FIELDS, ENTERPRISE_CALLS, EXTRA_CALLS, REFUSALS
from etl.simulator.faults.spec import FAULTS, FaultSpec
from etl.simulator.settings import SimulatorSettings
from etl.simulator.simulator import Simulator, serve

__all__ = [
    "ASSUMED_CALLS",
    "ASSUMED_FIELDS",
    "ENTERPRISE_CALLS",
    "EXTRA_CALLS",
    "FAULTS",
    "REFUSALS",
    "FaultSpec",
    "Simulator",
    "SimulatorSettings",
    "serve",
]
