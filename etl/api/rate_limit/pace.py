"""How fast the API may be called: the law by which the pace falls when it complains and grows while it does not. Pure.

The pace falls to a little below what the API took, climbs back towards that within half a minute or some hundred calls,
stays near it, and only then tries more, ever faster: a curve of the third degree, as TCP CUBIC has it. So the pace is
close to what is allowed nearly all the time, and costs a refused call or two in a thousand. Where it is not known how
much the API took, the pace begins low, and grows by a twentieth each second until the API says where the edge is.
"""

from dataclasses import dataclass

#: Seconds of use in which the pace climbs back to the ceiling; after as many again it has left that behind.
CLIMB = 30.0
#: Where few are allowed it takes so many calls instead, as a refused one weighs more there; and seconds at most.
CALLS, LONGEST_CLIMB = 600.0, 300.0
#: Seconds of use in which a pace doubles that is a guess.
DOUBLES = 12.0
#: Of what the API took: the pace right after a complaint, and the ceiling that it is led to.
AFTER, TOWARDS = 0.92, 0.97
#: So many times the ceiling is no cap again, where there was none before.
FREE = 8.0
#: Of the pace before: what a guess leaves of it at least, and what is left when answers take far longer than usual.
GUESSED, UNDER_STRAIN = 1 / 3, 0.8
#: Seconds for which a complaint holds everybody at least, and which count as use whatever the wait. Complaints about
#: calls that were sent before they are over are that one: who sent them did not know.
HELD = 1.0
#: The slowest pace, and the one that an unknown API is met with, in calls a second; it doubles in the time that a few
#: answers take, at most in a second, until it is so fast that it is no cap any more.
SLOWEST, FIRST, AS_GOOD_AS_FREE = 0.1, 15.0, 1000.0
#: Answers, one after the other, in whose time the pace doubles; and seconds.
ANSWERS, AT_MOST = 6, 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What the API has been found to take, in calls a second; 0 where it never complained."""

    floor: float = 0.0
    ceiling: float = 0.0
    climb: float = CLIMB  #: 0: nobody knows what it takes, and the floor is a guess

    def rate(self, used: float, cap: float, answer: float = AT_MOST) -> float:
        """Return the pace after so many seconds of use since the last complaint; 0 means no cap.

        `answer` is how long an answer takes.
        """
        if not self.ceiling:
            grown, free = doubled(FIRST, max(0.0, used) / min(AT_MOST, ANSWERS * answer)), AS_GOOD_AS_FREE
        elif not self.climb:
            grown, free = doubled(self.floor, max(0.0, used - HELD) / DOUBLES), FREE * self.ceiling
        else:
            climbed = (max(0.0, used) - self.climb) / self.climb
            grown, free = self.ceiling + (self.ceiling - self.floor) * climbed**3, FREE * self.ceiling
        if cap:
            return min(cap, grown)
        return grown if grown < free else 0.0

    def after_complaint(self, rate: float, took: float, *, sure: bool) -> "Pace":
        """Return the pace after the API complained of `rate`, having taken so many calls in the second before.

        `sure` says that these are all that it takes, and not a guess at what other workers sent.
        """
        edge = max(SLOWEST, rate * GUESSED, min(took, rate or took))
        climb = min(LONGEST_CLIMB, max(CLIMB, CALLS / edge))
        return Pace(AFTER * edge, TOWARDS * edge, climb if sure else 0.0)

    def under_strain(self, rate: float, observed: float) -> "Pace":
        """Return the pace after answers began to take far longer."""
        took = max(SLOWEST, rate or observed)
        return Pace(UNDER_STRAIN * took, took)


def doubled(rate: float, times: float) -> float:
    """Return a rate after it has doubled so many times, which need not be whole ones."""
    return float(rate * 2 ** min(times, 40.0))
