"""Where nothing fits: which of the choices of place, seller, hardware or price age shuts everything out, tried one at a time."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from infra_advisor.advice.answer import Recommendation, Relaxation
from infra_advisor.advice.limits import CLASSES, Choice, Limits
from infra_advisor.advice.payment import Payment
from infra_advisor.advice.placing import without_each
from infra_advisor.advice.portable import WANTED

SELLERS = {"purchase": "bought", "owned": "owned"}


def ways_out(
    limits: Limits, payment: Payment, ask: Callable[[Limits, Payment], Recommendation], known: Collection[str] = ()
) -> list[Relaxation]:
    """The choices that, dropped alone, let something meet all the other limits. `ask` answers the question otherwise.

    The one that brings back most options comes first; limits in `known` have a way out already.
    """
    found: list[tuple[int, Relaxation]] = []
    for name, option, allowed, freed, paid in _without_each(limits, payment):
        if name in known:
            continue
        answer = ask(freed, paid)
        if not answer.ranked:
            continue
        winner = answer.ranked[0]
        where = SELLERS.get(winner.offer.provider) or winner.offer.provider_name or winner.offer.provider
        shown = f"{winner.hardware.accelerators_total}x {winner.hardware.accelerator_name} ({where})"
        if winner.hardware.class_ == "api":
            shown = f"the hosted API of {where}"
        way = Relaxation(limit=name, allowed=allowed, needed="any", answer=winner.id, text=f"without {option}: {shown} fits")
        found.append((answer.ranked_total, way))
    return [way for _, way in sorted(found, key=lambda one: -one[0])]


def _without_each(limits: Limits, payment: Payment) -> Iterator[tuple[str, str, str | float, Limits, Payment]]:
    """(limit, option, its value, the question without it) for each choice that was made."""
    if limits.owned is not None:
        yield "owned", "--owned", limits.owned, replace(limits, owned=None), payment
    if limits.portable:
        yield "portable", "--portable", WANTED, replace(limits, portable=False), payment
    if payment.commit in ("1y", "3y"):
        yield "commit", f"--commit {payment.commit}", payment.commit, limits, replace(payment, commit="auto")
    if set(limits.where) != set(CLASSES):
        yield "where", "--where", ",".join(limits.where), replace(limits, where=CLASSES), payment
    for name, choice in (("vendor", limits.vendor), ("provider", limits.provider), ("accelerator", limits.accelerator)):
        if choice.keep or choice.drop:
            spelled = ",".join((*choice.keep, *(f"!{dropped}" for dropped in choice.drop)))
            yield name, f"--{name}", spelled, replace(limits, **{name: Choice()}), payment  # type: ignore[arg-type]
    for name, option, value, freed in without_each(limits):
        yield name, f"{option} {value}", value, freed, payment
    if limits.max_price_age_d is not None:
        yield "max_price_age_d", "--max-age", limits.max_price_age_d, replace(limits, max_price_age_d=None), payment
