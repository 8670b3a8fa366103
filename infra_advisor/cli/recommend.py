"""`advisor recommend`: parse, call, show."""

import typer

from infra_advisor.cli.asked import Asked, command_line
from infra_advisor.cli.independence import INDEPENDENCE
from infra_advisor.cli.onprem import CARRY_IN, LICENCE
from infra_advisor.cli.options import (
    CATALOG,
    EXPLAIN,
    FILE,
    MIX,
    MONEY,
    PAYMENT,
    PLAN,
    QUESTION,
    RANKING,
    SIZING,
    SPREAD,
    WORKLOAD_FILE,
    Command,
    asks,
)
from infra_advisor.errors import EXIT_NOTHING_FITS, EXIT_OK

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@app.command(cls=Command)
@asks(
    *QUESTION, *LICENCE, *INDEPENDENCE, *PAYMENT, *SPREAD, *SIZING, *RANKING, *EXPLAIN, *CARRY_IN,
    *MIX, *PLAN, *MONEY, *FILE, *CATALOG, *WORKLOAD_FILE,
)  # fmt: skip
def recommend(asked: Asked) -> None:
    """Rank the hardware that can serve a model within your limits, with its cost.

    advisor recommend --model 70b --ttft 500ms --users 20 --residency jp

    Only what you give is a limit. Times, rates, money and ages need a unit. Exit status 4: nothing fits; the answer says which limit binds.
    """
    target, workload, limits, currency = asked.target(), asked.workload(), asked.limits(), asked.currency()

    from infra_advisor.advice.recommend import recommend as rank
    from infra_advisor.present import show
    from infra_advisor.present.bar import Bar

    explain = asked.get("explain", False)
    merge = "offer" if asked.format in ("json", "csv") else "decision"
    with Bar() as bar:
        answer = rank(
            asked.catalog(),
            workload,
            limits,
            traffic=asked.traffic(),
            payment=asked.payment(),
            rank=asked.get("rank", "cost"),
            top=asked.get("top", 10),
            merge=merge,
            plan=asked.get("plan-benchmark", False),
            mix=asked.get("mix", False),
            site_needs=explain or asked.format in ("json", "markdown"),
            carry_in=explain or asked.get("carry-in", False),
            exit_after_months=asked.get("exit-after", 12),
            progress=bar,
        )
    show(answer, asked.format, target=target, currency=currency, explain=explain, command=command_line())
    if asked.get("carry-in") and not (answer.ranked and answer.ranked[0].carry_in):
        from infra_advisor.cli.progress import tell_progress

        tell_progress("carry.nothing", {})
    raise typer.Exit(EXIT_OK if answer.status == "ok" else EXIT_NOTHING_FITS)
