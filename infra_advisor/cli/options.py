"""Every option, once: its spelling, how its text is read, and its help. Commands and workload files share this table."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from infra_advisor.advice.limits import CLASSES, DOUBTFUL
from infra_advisor.cli import quantities as to
from infra_advisor.cli.asked import Asked
from infra_advisor.cli.fresh_options import CHECK, UPDATE
from infra_advisor.cli.independence import INDEPENDENCE
from infra_advisor.cli.manifest_options import MANIFEST
from infra_advisor.cli.onprem import CARRY_IN, LICENCE
from infra_advisor.cli.option import Option, with_bare_values
from infra_advisor.cli.option import option as _option
from infra_advisor.cli.place_options import PLACE

FORMATS = ("table", "json", "markdown", "csv")
RANKS = ("cost", "ttft", "speed", "throughput", "energy", "carbon", "balanced")
STATISTICS = ("mean", "p50", "p95", "p99")
COMMITS = ("none", "1y", "3y", "auto")
ROUTERS = ("least-loaded", "round-robin", "prefix-affine")

MODEL = (
    _option("--model", "-m", metavar="NAME", help="Size (70b), name or Hugging Face id (llama-3.3-70b), or a config.json or .gguf file."),
    _option(
        "--weights",
        metavar="FORMAT",
        help="Weight format: auto (8 bit or better, or the model's own), 4bit, bf16, fp8, int8, int4, nvfp4, q4_k_m, ...",
    ),
    _option("--kv", metavar="FORMAT", help="KV cache format: auto, bf16, fp8, int8."),
    _option(
        "--draft-tokens", metavar="N", read=to.whole, help="Speculative decoding or MTP: tokens drafted before each step; default none."
    ),
    _option(
        "--acceptance", metavar="SHARE", read=to.share, help="With --draft-tokens: share of the drafted tokens that is kept: 0.7, 70%."
    ),
)
LOAD = (
    _option(
        "--users",
        metavar="N",
        read=to.amount,
        help="People at work at once. State the load in at most one way; without any, half of the highest load is priced.",
    ),
    _option(
        "--think", metavar="TIME", read=to.duration_or_zero_s, help="Pause of a user between an answer and the next question; default 20s."
    ),
    _option("--concurrency", metavar="N", read=to.amount, help="Requests in flight, always."),
    _option("--rate", metavar="N/s", read=to.requests_per_s, help="Requests per time: 1.9/s, 100/min."),
    _option("--tokens-per-day", metavar="N", read=to.amount, help="Prompt and output tokens of a day: 50M."),
    _option("--input", metavar="TOKENS", read=to.whole, help="Prompt tokens of a request; default 1000."),
    _option("--output-tokens", metavar="TOKENS", read=to.whole, help="Output tokens of a request; default 300."),
    _option(
        "--reasoning-tokens",
        metavar="TOKENS",
        read=to.count_or_zero,
        help="Tokens thought before each answer, on top of its output tokens; default none.",
    ),
)
SPREAD = (
    _option(
        "--lengths",
        metavar="SPREAD",
        read=to.lengths,
        help="How requests differ in length: fixed, uniform:0.8..1.2 or lognormal:0.8; default fixed, with --concurrency uniform.",
    ),
)
TRAFFIC = (
    _option(
        "--trace", metavar="FILE", help="Requests of a recorded trace: Azure, Mooncake, BurstGPT or arrival_s,input_tokens,output_tokens."
    ),
    _option("--trace-speed", metavar="N", read=to.factor, help="Replay it so many times as fast; default 1."),
    _option("--burst", metavar="N", read=to.whole, help="So many requests at once, and then none."),
    _option("--at-once", flag=True, help="With --concurrency: send the first requests all at the start, as a benchmark does."),
    _option("--requests", metavar="N", read=to.whole, help="Requests to run; default 10,000."),
    _option("--seed", metavar="N", read=to.count_or_zero, help="Seed of the random numbers; default 1."),
    _option(
        "--prefix-share", metavar="SHARE", read=to.share, help="Part of every prompt that all have in common and the cache holds: 40%."
    ),
)
FLEET = (
    _option("--replicas", metavar="N", read=to.whole, help="Replicas behind the router; default 1."),
    _option("--router", metavar="RULE", read=to.one_of(ROUTERS), help="least-loaded, round-robin or prefix-affine; default least-loaded."),
    _option("--prefill-replicas", metavar="N", read=to.whole, help="Replicas that only prefill; those of --replicas then only decode."),
)
MONTH = (
    _option(
        "--profile",
        metavar="NAME|FILE",
        help="How the load moves through the week: office-jp, 24x7, coding-2024, conversation-2024, or a CSV file of hour,load.",
    ),
    _option(
        "--cold-start", metavar="TIME", read=to.duration_or_zero_s, help="Until a stopped machine answers; default by weights and engine."
    ),
)
SIZING = (
    _option("--spare", metavar="N", read=to.count_or_zero, help="Machines beyond those the load needs, for when one fails; default 0."),
    _option("--headroom", metavar="SHARE", read=to.share, help="Part of the capacity within the targets to leave free: 20%; default 0."),
)
TARGETS = (
    _option("--ttft", metavar="TIME", read=to.duration_s, help="Longest time to the first token: 500ms."),
    _option("--tpot", metavar="TIME", read=to.duration_s, help="Longest time per further token: 33ms."),
    _option("--speed", metavar="N", read=to.tokens_per_s, help="Least tokens/s for each user; 30 is the same as --tpot 33.3ms."),
    _option("--throughput", metavar="N", read=to.tokens_per_s, help="Least output tokens/s of the whole deployment."),
    _option(
        "--at",
        metavar="STATISTIC",
        read=to.one_of(STATISTICS),
        help="What the time targets apply to, over all requests: mean, p50, p95 or p99; default p95.",
    ),
)
NAMED = (
    _option("--provider", metavar="NAMES", read=to.names, many=True, help="Cloud providers to consider; !name or -name leaves one out."),
    _option("--accelerator", metavar="NAMES", read=to.names, many=True, help="Chips and devices, in the same way."),
)
LIMITS = (
    *PLACE,
    _option("--where", metavar="CLASSES", read=to.names, many=True, help=f"Any of {', '.join(CLASSES)}; default all."),
    _option(
        "--vendor",
        metavar="NAMES",
        read=to.names,
        many=True,
        help="Chip vendors to consider; !name or -name leaves one out: --vendor=-nvidia.",
    ),
    *NAMED,
    _option(
        "--budget",
        metavar="MONEY/PERIOD",
        read=to.budget,
        help="Most to spend, in the currency named, else in that of --currency, else in USD: 5000/month, 800000JPY/month, 7/h, 60000EUR/y.",
    ),
    _option("--max-age", metavar="AGE", read=to.age_d, help="Oldest price to accept: 90d."),
    _option("--owned", metavar="DEVICE", help="A device already bought: only power and hosting are charged, nothing else is considered."),
    _option(
        "--include", metavar="KINDS", read=to.names, many=True, help=f"Also rank doubtful offers, of these kinds: {', '.join(DOUBTFUL)}."
    ),
)
PAYMENT = (
    _option(
        "--commit",
        metavar="TERM",
        read=to.one_of(COMMITS),
        help="Rented machines at their price for no term, 1y or 3y, or auto: whichever is cheapest; default none.",
    ),
    _option("--spot", flag=True, help="Also rank spot prices, which can be withdrawn at any time; the same as --include spot."),
    _option("--hours", metavar="N", read=to.amount, help="Hours a month in which the service runs; default 730, all the time."),
    _option("--cached-share", metavar="SHARE", read=to.share, help="Part of the prompt tokens that hosted APIs bill as cached: 60%."),
    _option("--batch", flag=True, help="All work can wait: hosted APIs at their batch price, where they have one."),
    _option(
        "--assume",
        metavar="NAME=VALUE",
        read=to.assumption,
        many=True,
        help="Another value for an assumption: electricity_usd_per_kwh=0.12, cost_of_capital_per_year=0.08.",
    ),
)
DEPLOYMENT = (
    _option("--engine", metavar="NAME", help="Serving engine: vllm, sglang, tensorrt-llm, llama.cpp, ...; default the best that fits."),
    _option("--tp", metavar="N", read=to.whole, help="Tensor parallelism."),
    _option("--pp", metavar="N", read=to.whole, help="Pipeline parallelism."),
    _option("--ep", metavar="N", read=to.whole, help="Expert parallelism."),
    _option("--dp", metavar="N", read=to.whole, help="Attention data parallelism."),
    _option(
        "--sweep", metavar="INPUT=A..B", read=to.sweep, help="Repeat over one input: concurrency=1..256 (doubling), input=500,1000,4000."
    ),
)
RANKING = (
    _option("--top", metavar="N", read=to.count_or_zero, help="How many options to list; 0 lists all; default 10."),
    _option(
        "--rank",
        metavar="RULE",
        read=to.one_of(RANKS),
        help="Order: cost, ttft, speed, throughput, energy, carbon, balanced; default cost.",
    ),
)
MIX = (_option("--mix", flag=True, help="Also the best two kinds of hardware, one for short prompts and one for long ones."),)
PLAN = (_option("--plan-benchmark", flag=True, help="Print the runs that would settle the decision: commands and pass lines."),)
EXPLAIN = (_option("--explain", flag=True, help="Show where the time goes, as terms that add up."),)
MONEY = (
    _option(
        "--currency",
        metavar="CODE",
        read=to.currency,
        help="Write amounts in this currency, at the catalog's newest rate of the day: JPY, EUR. JSON and CSV keep USD; default USD.",
    ),
)
CATALOG = (
    _option("--as-of", metavar="DATE", read=to.day, help="Use the prices of that day; default today."),
    _option(
        "--catalog",
        metavar="PATH",
        many=True,
        in_file=False,
        help="Your own facts on top of the bundled ones: a directory or file; the last one wins. Also INFRA_ADVISOR_CATALOG.",
    ),
)
FILE = (
    _option(
        "--format",
        metavar="FORMAT",
        read=to.one_of(FORMATS),
        help="table, json, markdown or csv; default table, or what the name of the file ends with.",
    ),
    _option(
        "--output",
        metavar="N|FILE",
        many=True,
        in_file=False,
        help="A number: output tokens of a request. Anything else: the file to write. May be given twice.",
    ),
    _option("--output-file", "-o", metavar="FILE", in_file=False, help="The file to write, replaced in one step."),
)
WORKLOAD_FILE = (
    _option(
        "--workload",
        "-w",
        metavar="FILE.yaml",
        in_file=False,
        help="Take the options from a file (users: 20); options given here override it.",
    ),
)

QUESTION = (*MODEL, *LOAD, *TARGETS, *LIMITS)
SECTIONS: Mapping[str, tuple[Option, ...]] = {
    "Update": UPDATE,
    "Check": CHECK,
    "Deployment": DEPLOYMENT,
    "Model": MODEL,
    "Load (at most one of users, concurrency, rate, tokens per day)": (*LOAD, *SPREAD),
    "Traffic": TRAFFIC,
    "Fleet": (*FLEET, *SIZING, *MONTH),
    "Targets": TARGETS,
    "Limits": (*LIMITS, *LICENCE, *INDEPENDENCE),
    "Payment": PAYMENT,
    "Manifest": MANIFEST,
    "Answer": (*RANKING, *EXPLAIN, *CARRY_IN, *MIX, *PLAN, *MONEY, *FILE),
    "Facts": (*CATALOG, *WORKLOAD_FILE),
}
"""How the help groups the options."""


class Command(TyperCommand):
    """A command whose help is grouped by SECTIONS and leads with its description as written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_bare_values(args, (option for options in SECTIONS.values() for option in options)))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        formatter.write("\n" + inspect.cleandoc(self.help or "") + "\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        own = {parameter.name for parameter in self.get_params(ctx)}
        arguments = [
            record
            for parameter in self.get_params(ctx)
            if parameter.param_type_name == "argument" and (record := parameter.get_help_record(ctx))
        ]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        for section, options in SECTIONS.items():
            if shown := [option for option in options if option.parameter in own]:
                with formatter.section(section):
                    formatter.write_dl([(option.usage, option.help) for option in shown])


def asks(*options: Option) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options; it receives them read and checked as its first argument, an `Asked`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]
        added = [_parameter(option) for option in options]
        names = {option.parameter: option for option in options}

        @wraps(command)
        def run(**raw: Any) -> None:
            given = {option.key: value for name, option in names.items() if (value := raw.pop(name)) not in (None, False, [], ())}
            command(Asked.read(given, options), **raw)

        run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *added)}
        del run.__wrapped__
        return run

    return decorate


def _parameter(option: Option) -> inspect.Parameter:
    info = typer.Option(*option.spellings, help=option.help, metavar=option.metavar, show_default=False)
    kind: Any = bool if option.flag else list[str] if option.many else str
    default: Any = False if option.flag else None
    annotation = Annotated[kind, info] if option.flag else Annotated[kind | None, info]
    return inspect.Parameter(option.parameter, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
