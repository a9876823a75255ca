"""The QQCatalyst simulator: a made-up agency over HTTP, for the demo and the tests."""

from etl.simulator.faults import FAULTS, FaultSpec
from etl.simulator.settings import SimulatorSettings
from etl.simulator.simulator import Simulator, serve

__all__ = ["FAULTS", "FaultSpec", "Simulator", "SimulatorSettings", "serve"]
