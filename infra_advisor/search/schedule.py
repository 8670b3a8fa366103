"""A month of a load that moves by the hour: machine hours of a fleet that is fixed, scheduled, or stopped while nobody asks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infra_advisor.physics.scaling import on_off

SECONDS_PER_HOUR = 3600.0
ROUNDING = 1e-9
"""Of a replica, which no further one is started for."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What one replica carries and what machines cost."""

    week: Sequence[float]
    """Load by hour, as shares of the busiest one."""
    peak: float
    """Load of the busiest hour: users, or requests/s."""
    replica_limit: float
    """Largest load of one replica within the targets, in the same unit."""
    rate_per_load: float
    """Requests/s by one unit of load."""
    replicas_per_machine: int
    machines_per_replica: float
    """1, or more where a replica spans machines."""
    prefill_share: float = 0.0
    """Replicas that only prefill, for each of those above."""
    spare: int
    """Machines that stand by while the service is up."""
    cold_start_s: float
    idle_s: float
    """Without a request, after which a deployment that scales to zero stops."""

    def machines(self, load: float) -> float:
        """Whole machines at work for a load above zero, without spare ones."""
        replicas = max(math.ceil(load / self.replica_limit - ROUNDING), 1)
        replicas += math.ceil(replicas * self.prefill_share - ROUNDING)
        return math.ceil(replicas / self.replicas_per_machine) * self.machines_per_replica


@dataclass(frozen=True)
class Plan:
    """Machine hours of an average week."""

    name: str
    most_machines: float
    on_hours: float
    """Paid for while they run or start."""
    idle_hours: float
    """Of machines that are there, and off: nothing where they are rented."""
    late_share: float
    """Of all requests, those that wait for a machine to start. [1]"""


def plans(service: Service) -> list[Plan]:
    """Fixed for the peak; by schedule, ahead of the load; and by schedule with the last replica stopped while nobody asks."""
    week, peak = service.week, service.peak
    hours = len(week)
    most = service.machines(peak) + service.spare
    needed = [service.machines(share * peak) + service.spare if share > 0.0 else 0.0 for share in week]
    starts = sum(max(now - before, 0.0) for before, now in zip([needed[-1], *needed[:-1]], needed, strict=True))
    scheduled = min(sum(needed) + starts * service.cold_start_s / SECONDS_PER_HOUR, most * hours)
    fixed = Plan("fixed", most, most * hours, 0.0, 0.0)
    by_schedule = Plan("schedule", most, scheduled, most * hours - scheduled, 0.0)
    return [fixed, by_schedule, _to_zero(service, needed, most, scheduled)]


def _to_zero(service: Service, needed: Sequence[float], most: float, scheduled: float) -> Plan:
    """Where one replica is enough it stops after a while; spare machines stop with it."""
    least = service.machines(min(service.replica_limit, service.peak) or service.peak) + service.spare
    saved = late = requests = 0.0
    for share, machines in zip(service.week, needed, strict=True):
        rate = share * service.peak * service.rate_per_load
        requests += rate
        if rate > 0.0 and machines <= least:
            life = on_off(requests_per_s=rate, idle_s=service.idle_s, start_s=service.cold_start_s)
            saved += machines * (1.0 - life.on_share)
            late += rate * life.late_share
    hours = len(service.week)
    on_hours = max(scheduled - saved, 0.0)
    return Plan("scale-to-zero", most, on_hours, most * hours - on_hours, late / requests if requests else 0.0)
