"""Adapters of price sources: bytes as the source writes them in, rows of our tables out, and nothing of what is wrong."""

import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from catalogs import real_catalog
from hypothesis import given
from hypothesis import strategies as st

from infra_advisor.errors import UsageError
from infra_advisor.facts.update import ecb, litellm, oci, sakura, sources
from infra_advisor.facts.update.feed import Known, Rows, source_id
from infra_advisor.facts.update.known import known

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "feeds"
PACKAGE = Path(sources.__file__).parent
ZIPPED = ("gpuhunt",)
WRITTEN = [name for name in sources.NAMES if (PACKAGE / f"{name}.py").is_file()]
HOSTILE = (
    b"=cmd|' /C calc'!A0", b"../../../../etc/passwd", b"1e999", b"-1", b"NaN", b"Infinity", b"9" * 400, b"null", b"{}", b"[[[[", b"true",
    b'""', b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"\x00", b"\xff\xfe", "\u202e円".encode(), b"\r\n", b",", b"EUR", b"0", b"1e-19",
)  # fmt: skip


@cache
def real_known() -> Known:
    return known(real_catalog())


def answers(name: str) -> list[bytes]:
    """The stored answers of a source."""
    paths = sorted(path for path in FIXTURES.iterdir() if path.suffix != ".md" and path.name.startswith(name))
    assert paths, f"no stored answer of {name}"
    assert (FIXTURES / f"{name}.md").is_file(), f"nothing says where the stored answer of {name} comes from"
    return [zipped(path) if name in ZIPPED else path.read_bytes() for path in paths]


def zipped(path: Path) -> bytes:
    """A stored table, packed as its source packs it: under the name of the provider, collected on the day it is read."""
    stream = io.BytesIO()
    year, month, day = map(int, real_known().day.split("-"))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("aws.csv", (year, month, day, 6, 0, 0)), path.read_text())
    return stream.getvalue()


def changed(name: str, change: Callable[[Any], None]) -> bytes:
    """A stored JSON answer with something else in it."""
    document = json.loads(answers(name)[0])
    change(document)
    return json.dumps(document, ensure_ascii=False).encode()


# -- every adapter


@pytest.mark.parametrize("name", WRITTEN)
def test_each_source_reads_its_stored_answers(name: str) -> None:
    feed = sources.feed(name)
    assert feed.name == name
    assert feed.title
    assert all(request.url.startswith("https://") for request in feed.requests(real_known()))
    found = [feed.adapt([answer[:7], answer[7:]], real_known()) for answer in answers(name)]
    read = [row for rows in found for row in (*rows.offers, *rows.api_prices, *rows.exchange_rates)]
    assert {row.source for row in read} == {source_id(name)}


@pytest.mark.parametrize("name", WRITTEN)
@given(data=st.data())
def test_a_damaged_answer_is_refused_or_gives_sound_rows(name: str, data: st.DataObject) -> None:
    """Cut off, overwritten, doubled or sown with hostile text: either ValueError, or rows that hold by themselves."""
    answer = data.draw(st.sampled_from(answers(name)))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(answer)))
        end = min(len(answer), start + data.draw(st.integers(0, 60)))
        middle = data.draw(st.one_of(st.sampled_from(HOSTILE), st.binary(max_size=8), st.just(answer[start:end] * 2)))
        answer = data.draw(st.sampled_from([answer[:start] + middle + answer[end:], answer[:start]]))
    sound(name, answer)


@pytest.mark.parametrize("name", WRITTEN)
@given(
    answer=st.one_of(
        st.binary(max_size=200), st.sampled_from([b"", b"<!DOCTYPE html><html></html>", b"[]", b"{}", b"[" * 100_000, *HOSTILE])
    )
)
def test_another_document_is_refused_or_gives_sound_rows(name: str, answer: bytes) -> None:
    sound(name, answer)


def sound(name: str, answer: bytes) -> None:
    try:
        rows = sources.feed(name).adapt([answer], real_known())
    except ValueError:
        return
    assert isinstance(rows, Rows)
    for row in (*rows.offers, *rows.api_prices, *rows.exchange_rates):
        type(row).model_validate(row.model_dump(by_alias=True))


def test_a_source_that_does_not_exist_is_named_with_its_neighbours() -> None:
    with pytest.raises(UsageError, match="gpuhunt"):
        sources.chosen(["gpu-hunt"])
    assert sources.chosen([]) == sources.chosen(["all"]) == sources.NAMES
    assert sources.chosen(["aws", "ecb"]) == ("ecb", "aws")


# -- European Central Bank


def test_rates_are_crossed_by_the_euro() -> None:
    """1 EUR = 1.0705 USD = 171.94 JPY: 171.94 / 1.0705 = 160.61653 JPY per USD; 1 / 1.0705 = 0.93414 EUR."""
    rates = {rate.currency: rate for rate in ecb.adapt(answers("ecb"), real_known()).exchange_rates}
    assert set(rates) == {"EUR", "JPY", "GBP", "CNY", "KRW"}
    assert (rates["JPY"].per_usd, rates["JPY"].day, rates["JPY"].id) == (Decimal("160.61653"), "2024-06-28", "jpy-2024-06-28")
    assert rates["EUR"].per_usd == Decimal("0.93414")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"currency='USD'", b"currency='XXX'", "US dollar"),
        (b"<gesmes:subject>", b"<!ENTITY a 'b'><gesmes:subject>", "declares entities"),
        (b"time='2024-06-28'", b"day='2024-06-28'", "0 days"),
        (b"2024-06-28", b"2024-13-28", "not a day"),
        (b"</gesmes:Envelope>", b"", "not XML"),
        (b"rate='171.94'", b"rate='" + b"9" * 29 + b"'", "no currency has"),
    ],
)
def test_other_rates_documents_are_refused(old: bytes, new: bytes, message: str) -> None:
    answer = answers("ecb")[0]
    assert old in answer
    with pytest.raises(ValueError, match=message):
        ecb.adapt([answer.replace(old, new)], real_known())


@pytest.mark.parametrize("rate", [b"-171.94", b"0", b"NaN", b"1e3", b"=1+1", b"", "\u0661".encode()])
def test_a_rate_that_is_no_number_is_passed_over(rate: bytes) -> None:
    rows = ecb.adapt([answers("ecb")[0].replace(b"171.94", rate)], real_known())
    assert rows.skipped == {"rate is not a number above zero": 1}
    assert "JPY" not in {one.currency for one in rows.exchange_rates}


# -- litellm


def test_token_prices_keep_the_id_of_the_catalog() -> None:
    """1.25e-06 USD a token = 1.25 USD a million; above 200k tokens 2.5 and 15."""
    rows = litellm.adapt(answers("litellm"), real_known())
    line = next(row for row in rows.api_prices if row.api_model == "gemini-2.5-pro")
    assert (line.id, line.operator, line.source) == ("vertex-ai-language-models-gemini-2.5-pro", "gcp", "litellm-feed")
    assert (line.input_per_mtok, line.cached_input_per_mtok, line.output_per_mtok) == (Decimal("1.25"), Decimal("0.125"), Decimal(10))
    assert line.long_context == ">200k: in 2.5 out 15.0"
    assert line.from_ == line.seen == real_known().day
    assert len(rows.api_prices) == 3
    assert rows.skipped == {"model not in the catalog": 3}


@pytest.mark.parametrize("cost", [0, -1e-6, True, "free", None, [], "=1+1", 1e9])
def test_a_cost_that_is_no_price_is_unknown(cost: object) -> None:
    def change(document: Any) -> None:
        document["gemini-2.5-pro"] |= {"input_cost_per_token": cost, "output_cost_per_token": cost}

    rows = litellm.adapt([changed("litellm", change)], real_known())
    assert rows.skipped["no price above zero per token"] == 1


def test_a_price_per_million_taken_for_one_per_token_is_passed_over() -> None:
    rows = litellm.adapt([changed("litellm", lambda document: document["gemini-2.5-pro"].update(input_cost_per_token=1.25))], real_known())
    assert rows.skipped["price beyond what a token costs"] == 1


@pytest.mark.parametrize("name", ["litellm", "oci", "sakura"])
def test_endless_numbers_are_refused_before_they_are_read(name: str) -> None:
    """Reading an integer of n digits takes time that grows with the square of n."""
    with pytest.raises(ValueError, match="a number of 2,000,000 digits"):
        sources.feed(name).adapt([b'{"items": ' + b"1" * 2_000_000 + b"}"], real_known())


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="litellm_provider"):
        litellm.adapt([b'{"models": [{"name": "gpt", "price": 1}]}'], real_known())
    with pytest.raises(ValueError, match=r"expected JSON, read .*<html>"):
        litellm.adapt([b"\n <html><body>Sign in</body></html>"], real_known())


# -- Sakura


def test_yen_by_the_hour_and_by_the_month() -> None:
    """385,000 JPY a month over 730 h = 527.39726 JPY/h, 527.4 in the catalog; ids are those of the catalog, the tax is inside."""
    rows = sakura.adapt(answers("sakura"), real_known())
    prices = {row.id: (row.per_h, row.price_kind, row.currency, row.tax_included) for row in rows.offers}
    h100 = "sakura-vrt-24core-240gb-h100x1-is1a"
    assert prices[h100] == (990, "on-demand", "JPY", True)
    assert prices[f"{h100}-monthly"] == (Decimal("527.39726"), "monthly", "JPY", True)
    assert {h100, f"{h100}-monthly"} <= {offer.id for offer in real_catalog().offers}
    assert rows.skipped == {"instance type not in the catalog": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda plan: plan["Price"].update(Zone="../../etc"), "region not in the catalog"),
        (lambda plan: plan["Price"].update(Zone=["is1a"]), "region not in the catalog"),
        (lambda plan: plan["Price"].update(Monthly="=990"), "price is not a number"),
        (lambda plan: plan["Price"].update(Monthly=10**25), "price is absurdly large"),
        (lambda plan: plan.update(DisplayName=None), "instance type not in the catalog"),
        (lambda plan: plan.update(IsPublic=False), "not a public price by uptime"),
        (lambda plan: plan.update(Price=None), "no plan with a price"),
    ],
)
def test_a_plan_that_is_not_one_is_passed_over(change: Callable[[Any], None], reason: str) -> None:
    plain = sakura.adapt(answers("sakura"), real_known())
    rows = sakura.adapt([changed("sakura", lambda document: change(document["ServiceClasses"]["2"]))], real_known())
    assert rows.skipped[reason] > plain.skipped[reason]
    assert "sakura-vrt-24core-240gb-h100x1-is1a-monthly" not in {row.id for row in rows.offers}


def test_one_document_per_zone_is_asked_for() -> None:
    urls = [request.url for request in sakura.requests(real_known())]
    assert "https://secure.sakura.ad.jp/cloud/zone/is1b/api/cloud/1.1/public/price.json" in urls
    assert not any("ishikari" in url for url in urls)


# -- Oracle


def test_a_gpu_hour_is_multiplied_by_the_gpus_of_the_shape() -> None:
    """10 USD x 8 GPUs = 80 USD/h for BM.GPU.H100.8; 2 USD x 1, 2 and 4 for the three A10 shapes; A100 v2 is the 80 GB shape."""
    rows = oci.adapt(answers("oci"), real_known())
    tokyo = {row.node: row.per_h for row in rows.offers if row.region == "ap-tokyo-1"}
    assert tokyo == {
        "oci-bm.gpu.h100.8": 80, "oci-vm.gpu.a10.1": 2, "oci-vm.gpu.a10.2": 4, "oci-bm.gpu.a10.4": 8, "oci-bm.gpu.a100-v2.8": 32,
        "oci-bm.gpu.mi355x.8": Decimal("68.8"), "oci-bm.gpu.rtxpro.8": 36,
    }  # fmt: skip


def test_licences_variants_and_nodes_are_no_rentals() -> None:
    """H100T (another chip), NVIDIA AI Enterprise (a licence with the same metric) and a VMware node."""
    assert oci.adapt(answers("oci"), real_known()).skipped == {"not priced by the GPU-hour": 2, "shape not in the catalog": 1}


@pytest.mark.parametrize(
    "prices",
    [
        [{"currencyCode": "EUR", "prices": [{"model": "PAY_AS_YOU_GO", "value": 10}]}],
        [{"currencyCode": "USD", "prices": [{"model": "PAY_AS_YOU_GO", "value": 10}, {"model": "PAY_AS_YOU_GO", "value": 8}]}],
        [{"currencyCode": "USD", "prices": [{"model": "PAY_AS_YOU_GO", "value": "ten"}]}],
        [{"currencyCode": "USD", "prices": [{"model": "PAY_AS_YOU_GO", "value": 0}]}],
        [{"currencyCode": "USD", "prices": None}],
        "10 USD",
    ],
)
def test_a_product_without_one_dollar_price_is_passed_over(prices: object) -> None:
    rows = oci.adapt([changed("oci", lambda document: document["items"][0].update(currencyCodeLocalizations=prices))], real_known())
    assert rows.skipped["no pay-as-you-go price in USD"] == 1
    assert "oci-bm.gpu.h100.8" not in {row.node for row in rows.offers}
