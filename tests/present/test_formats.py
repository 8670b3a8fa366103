"""Markdown, CSV and JSON: valid, complete, and deaf to what catalog strings try to say."""

import csv
import json
import math
from io import StringIO

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from present import samples

from infra_advisor.advice.answer import json_schema
from infra_advisor.present import csv_out, markdown, render
from infra_advisor.present.listing import Listing
from infra_advisor.present.screen import Screen

HOSTILE = "=cmd()|<script>alert(1)</script> `code` **bold** _it_ [x](y) | \x1b[31mred\x1b[0m \u202eRTL 😀 日本\nnew # line @someone"
WRITTEN_OUT = "=cmd()|<script>alert(1)</script> `code` **bold** _it_ [x](y) | red RTL 😀 日本 new # line @someone"
GITHUB = MarkdownIt("gfm-like", {"linkify": False})


def hostile_recommendation() -> object:
    answer = samples.answer(
        offer=samples.offer(provider_name=HOSTILE, region=HOSTILE, source=HOSTILE, marks=(HOSTILE,)),
        labels=(HOSTILE,),
        reason=HOSTILE,
        assumptions=(HOSTILE,),
    )
    return samples.recommendation(ranked=(answer, samples.second()), warnings=(HOSTILE,), excluded={HOSTILE: 3})


def cells(table: list[object]) -> list[str]:
    return [child.content for token in table for child in getattr(token, "children", None) or [] if child.type == "text"]


@given(st.text(min_size=1))
def test_escaped_text_renders_as_itself(raw: str) -> None:
    """Parsing our escape gives one paragraph of plain text: the cleaned input with single spaces, and no other token."""
    from infra_advisor.present.text import clean

    expected = clean(raw).strip()
    tokens = GITHUB.parse("x " + markdown.escape(raw) + " x")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "softbreak", "text_special"}
    content = "".join(child.content for child in children).replace("\N{WORD JOINER}", "")
    assert " ".join(content.split()) == " ".join(f"x {expected} x".split())


@pytest.mark.parametrize(
    "start",
    [
        "# h",
        "- item",
        "+ item",
        "* item",
        "1. one",
        "1) one",
        "> quote",
        "=cmd()",
        "@user",
        "-1",
        "---",
        "===",
        "```",
        "~~~",
        "    code",
        "<b>",
    ],
)
def test_a_line_cannot_start_a_block(start: str) -> None:
    tokens = GITHUB.parse(markdown.escape(start))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert all(child.type in ("text", "text_special") for child in tokens[1].children or [])


def test_identifiers_stay_readable_and_mentions_ping_nobody() -> None:
    assert markdown.escape("q4_k_m") == "q4_k_m"
    assert markdown.escape("Llama-3.3-70B") == "Llama-3.3-70B"
    assert markdown.escape("ask @someone") == "ask @\N{WORD JOINER}someone"
    assert markdown.escape("repo@2026-04-03") == "repo@2026-04-03"


def test_hostile_strings_stay_text_in_markdown() -> None:
    text = render(hostile_recommendation(), "markdown", command="advisor recommend --model '```'")  # type: ignore[arg-type]
    tokens = GITHUB.parse(text)
    assert not any(token.type in ("html_block", "html_inline") for token in tokens)
    inline = [child.type for token in tokens for child in token.children or []]
    assert set(inline) <= {"text", "text_special", "softbreak", "strong_open", "strong_close"}
    assert "\x1b" not in text
    assert "\u202e" not in text
    rendered = GITHUB.render(text)
    assert "<script>" not in rendered
    assert rendered.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


def test_every_row_of_every_markdown_table_has_all_its_cells() -> None:
    for record in (hostile_recommendation(), samples.comparison(), samples.estimate()):
        tokens = GITHUB.parse(render(record, "markdown"))  # type: ignore[arg-type]
        width, seen = 0, 0
        for token in tokens:
            if token.type == "thead_open":
                width = 0
            elif token.type == "th_open":
                width += 1
            elif token.type == "tr_open":
                seen = 0
            elif token.type == "td_open":
                seen += 1
            elif token.type == "tr_close" and seen:
                assert seen == width
        assert width > 0


def test_the_memo_has_its_parts_in_order() -> None:
    text = render(samples.recommendation(), "markdown", command="advisor recommend --model 70b")
    parts = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert parts == [
        "Recommendation", "Requirements as given", "Options", "Why this one", "What binds",
        "Bill of a month: 2x H100 SXM (of 8), Lambda (JP)", "Near misses", "What was left out", "Assumptions", "Sources", "Reproduce",
    ]  # fmt: skip
    assert text.startswith("# Hardware for Llama 3.3 70B Instruct\n")
    assert "```sh\nadvisor recommend --model 70b\n```" in text
    assert "hash abc123def456" in text
    assert "- Option 1, price of lambda-h100x8-tokyo (on-demand): Lambda price list; seen 2026-11-10" in text


def test_the_memo_of_nothing_names_the_way_out() -> None:
    text = render(samples.nothing(), "markdown")
    assert "**Nothing meets every limit.**" in text
    assert "- TTFT: 500 ms was asked, 612 ms is needed. With --ttft 620ms this fits: 2x H100 SXM (of 8), Lambda (JP)" in text
    assert "## Options" not in text


def test_the_memo_compares_with_the_runner_up() -> None:
    """1 - 9.81 / 11.03 = 11 %; the bands 7.90-12.90 and 9.00-14.00 overlap."""
    text = render(samples.recommendation(), "markdown")
    assert "It costs 11 % less per million output tokens than the runner-up, 2x MI300X, on-prem (JP), SGLang fp8 x2." in text
    assert "too close to call" in text


def test_what_binds_is_the_largest_term_with_its_arithmetic() -> None:
    """18.0 of 21.4 ms is 84 %."""
    text = render(samples.recommendation(), "markdown")
    assert "Each further token takes 21.4 ms; 18.0 ms of it (84 %) is weights, bound by memory bandwidth (70.6 GB / 3.92 TB/s)." in text


@pytest.mark.parametrize(
    "record", [samples.recommendation(), samples.nothing(), samples.comparison(), samples.estimate(), samples.estimate(sweep=())]
)
def test_csv_rows_have_all_their_cells(record: object) -> None:
    text = render(record, "csv")  # type: ignore[arg-type]
    rows = list(csv.reader(StringIO(text), strict=True))
    assert len(rows) >= 2
    assert len({len(row) for row in rows}) == 1
    assert len(set(rows[0])) == len(rows[0])
    assert text.endswith("\r\n")


def test_csv_keeps_full_figures_and_tells_what_is_ranked() -> None:
    rows = list(csv.DictReader(StringIO(render(samples.recommendation(), "csv"))))
    assert [row["status"] for row in rows] == ["ranked", "ranked", "near_miss", "unranked", "unranked"]
    assert float(rows[0]["ttft_s_mean"]) == 0.212
    assert rows[0]["usd_per_month"] == "7270.8"
    assert rows[0]["ttft_s_p95"] == ""
    assert (rows[0]["margin_ttft"], rows[0]["margin_tpot"], rows[0]["margin_budget"]) == ("0.576", "0.358", "")
    assert rows[2]["violations"] == "ttft_s: 0.612 (allowed 0.5)"


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "＝1", "  =1", "\t=1", "\x1b[31m=1"])
def test_csv_texts_are_no_formulas(text: str) -> None:
    (row,) = csv.reader(StringIO(csv_out.table((), [(text,)])[2:]))
    assert row[0].startswith("'")


def test_csv_numbers_stay_numbers() -> None:
    assert csv_out.table(("a", "b", "c"), [(-1.5, None, True)]) == "a,b,c\r\n-1.5,,true\r\n"


def test_csv_of_hostile_strings_has_one_line_per_row() -> None:
    text = render(hostile_recommendation(), "csv")  # type: ignore[arg-type]
    assert len(text.split("\r\n")) == 1 + 5 + 1
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("record", [samples.recommendation(), samples.nothing(), samples.comparison(), samples.estimate()])
def test_json_is_one_document_that_keeps_its_schema(record: object) -> None:
    document = json.loads(render(record, "json"))  # type: ignore[arg-type]
    jsonschema.validate(document, json_schema(type(record)))  # type: ignore[arg-type]
    assert document["schema"].startswith("infra_advisor/")


def test_json_uses_the_contract_keys_and_unrounded_values() -> None:
    document = json.loads(render(samples.recommendation(), "json"))
    first = document["ranked"][0]
    assert first["hardware"]["class"] == "cloud"
    assert first["performance"]["ttft_s"] == {"mean": 0.212, "p50": None, "p95": None, "p99": None, "low": 0.17, "high": 0.29}
    assert document["status"] == "ok"


def test_json_has_no_nan() -> None:
    speed = samples.slow().model_copy(update={"output_tokens_per_s": math.nan, "max_concurrency": math.inf})
    document = json.loads(render(samples.recommendation(ranked=(samples.answer(performance=speed),)), "json"), parse_constant=pytest.fail)
    assert document["ranked"][0]["performance"]["output_tokens_per_s"] is None


def test_json_is_readable_where_the_terminal_is_and_ascii_elsewhere() -> None:
    record = samples.recommendation()
    assert "さくら" in render(record, "json")
    assert render(record, "json", screen=Screen(unicode=False)).isascii()
    assert json.loads(render(record, "json")) == json.loads(render(record, "json", screen=Screen(unicode=False)))


def test_hostile_strings_stay_text_on_a_terminal() -> None:
    for width in (40, 80, 120):
        text = render(hostile_recommendation(), "table", screen=Screen(width, color=False))  # type: ignore[arg-type]
        assert "\x1b" not in text
        assert "\u202e" not in text


LISTING = Listing(
    title="2 chips",
    keys=("id", "memory_bytes"),
    titles=("id", "memory"),
    rows=(("a|b", 80e9), ("=x", None)),
    shown=(("a|b", "74.5 GiB"), ("=x", "?")),
    right=frozenset({"memory_bytes"}),
)


def test_a_listing_is_the_same_in_every_format() -> None:
    assert json.loads(render(LISTING, "json")) == [{"id": "a|b", "memory_bytes": 80e9}, {"id": "=x", "memory_bytes": None}]
    assert render(LISTING, "csv") == "id,memory_bytes\r\na|b,80000000000.0\r\n'=x,\r\n"
    assert "| a\\|b | 74.5 GiB |" in render(LISTING, "markdown")
    assert "74.5 GiB" in render(LISTING, "table")
