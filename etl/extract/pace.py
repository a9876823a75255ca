"""How fast the API may be called: the law by which the pace falls when it complains and grows while it does not. Pure.

The pace falls to a little below what the API took, climbs back towards that within half a minute, stays near it, and
only then tries more, ever faster: a curve of the third degree, as TCP CUBIC has it. So the pace is close to what is
allowed nearly all the time, and costs a refused call or two a minute.
"""

from dataclasses import dataclass

#: Seconds of use in which the pace climbs back to the ceiling; after as many again it has left that behind. The ceiling
#: is guessed where the API complained of a pace far beyond what it takes, and is left sooner then.
CLIMB, CLIMB_FROM_A_GUESS = 30.0, 8.0
#: Of what the API took: the pace right after a complaint, and the ceiling that it is led to.
AFTER, TOWARDS = 0.9, 0.97
#: So many times the ceiling is no cap again, where there was none before.
FREE = 8.0
#: Of the pace before: how much a complaint that is no guess has to leave, what a guess leaves of it
#: at least, and what is left when answers take far longer than usual.
KNOWN, GUESSED, UNDER_STRAIN = 0.8, 1 / 3, 0.8
#: A complaint after so many seconds of use came at the edge of what is allowed; an earlier one from far beyond it.
SETTLED = 10.0
#: Complaints about calls that were sent so few seconds after the last one are that one: who sent them did not know.
TOGETHER = 1.0
#: The slowest pace, and the one that an unknown API is met with, in calls a second; it doubles each second.
SLOWEST, FIRST = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What the API has been found to take, in calls a second; 0 where it never complained."""

    floor: float = 0.0
    ceiling: float = 0.0
    climb: float = CLIMB

    def rate(self, used: float, cap: float) -> float:
        """Return the pace after so many seconds of use since the last complaint; 0 means no cap."""
        if not self.ceiling:
            return min(cap, FIRST * 2 ** min(used, 10.0))
        grown = self.ceiling + (self.ceiling - self.floor) * ((used - self.climb) / self.climb) ** 3
        if cap:
            return min(cap, grown)
        return grown if grown < FREE * self.ceiling else 0.0

    def after_complaint(self, rate: float, observed: float, used: float) -> "Pace":
        """Return the pace after the API complained of `rate`, when it had taken `observed` calls in a second."""
        if rate and self.ceiling and used >= SETTLED:
            return Pace(AFTER * rate, TOWARDS * rate)
        took = max(SLOWEST, rate * GUESSED, min(observed, rate or observed))
        known = took > KNOWN * rate > 0
        return Pace(AFTER * took, TOWARDS * took, CLIMB if known else CLIMB_FROM_A_GUESS)

    def under_strain(self, rate: float, observed: float) -> "Pace":
        """Return the pace after answers began to take far longer."""
        took = max(SLOWEST, rate or observed)
        return Pace(UNDER_STRAIN * took, took)
