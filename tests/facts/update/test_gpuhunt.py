"""gpuhunt's zips: what is read from them, how old it is, and traps."""

from decimal import Decimal
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from feeds import DAY, check_rows, in_chunks, known, node, offer, refused, survives_anything

from infra_advisor.facts.update import gpuhunt
from infra_advisor.facts.update.gpuhunt import FEED, adapt, requests

HEADER = "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,cpu_arch,provider_data\r\n"
AWS = HEADER + (
    "p5.48xlarge,us-east-1,50.0,192,2048.0,8,H100,80.0,False,,nvidia,,x86,{}\r\n"
    "p5.48xlarge,us-east-1,19.5,192,2048.0,8,H100,80.0,True,,nvidia,,x86,{}\r\n"
    "g99.xlarge,us-east-1,1.5,4,16.0,1,X99,24.0,False,,nvidia,,x86,{}\r\n"
    "m7i.large,us-east-1,0.1008,2,8.0,0,,,False,,,,x86,{}\r\n"
)
GCP = HEADER + (
    "a3-highgpu-8g,us-central1-a,70.5,208,1872.0,8,H100,80.0,False,,nvidia,,x86,{}\r\n"
    "a3-highgpu-8g,us-central1-b,70.5,208,1872.0,8,H100,80.0,False,,nvidia,,x86,{}\r\n"
    "a3-highgpu-8g,us-central1-a,60.0,208,1872.0,8,H100,80.0,False,,nvidia,gcp-dws-calendar-mode,x86,{}\r\n"
)
NEBIUS = HEADER + 'gpu-h100-sxm 1gpu-16vcpu-200gb,eu-north1,3.85,16,200.0,1,H100,80.0,False,,nvidia,,x86,"{""fabrics"": []}"\r\n'
LAMBDA = HEADER + "gpu_1x_a10,us-east-1,1.5,30,200.0,1,A10,24.0,False,,nvidia,,x86,{}\r\n"
COLLECTED = (2026, 11, 20, 1, 5, 0)

P5, A3 = node("aws", "p5.48xlarge", chips=8), node("gcp", "a3-highgpu-8g", chips=8)
NEBIUS_H100, A10 = node("nebius", "gpu-h100-sxm_1gpu-16vcpu-200gb"), node("lambda", "gpu_1x_a10", "a10")
LINES = [
    offer(P5.id, "us-east-1", "55.04", spot_per_h="20.784"),
    offer(A3.id, "us-central1", "88.49"),
    offer(NEBIUS_H100.id, "eu-north1", "3.85", flag="stale"),
    offer(A10.id, "us-any", "1.29"),
]
CATALOG = known([P5, A3, NEBIUS_H100, A10], LINES)


def zipped(collected: tuple[int, int, int, int, int, int] = COLLECTED, method: int = ZIP_DEFLATED, **members: str) -> bytes:
    """A zip of `{name}.csv` for each member; a name with a double underscore is a path."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(ZipInfo(name.replace("__", "/") + ".csv", collected), text, compress_type=method)
    return packed.getvalue()


def test_rows_by_hand() -> None:
    """Collected on the 20th, so seen then: 50.00 and spot 19.50; both zones of us-central1 at 70.50, calendar mode left out."""
    text = zipped(aws=AWS, gcp=GCP, nebius=NEBIUS, lambdalabs=LAMBDA)
    rows = adapt(in_chunks(text), CATALOG)
    check_rows(FEED, rows, CATALOG)
    p5, a3, a10, nebius = rows.offers
    assert (p5.id, p5.per_h, p5.spot_per_h, p5.from_, p5.seen) == (LINES[0].id, 50, Decimal("19.5"), "2026-11-20", "2026-11-20")
    assert (a3.id, a3.per_h) == (LINES[1].id, Decimal("70.5"))
    assert (a10.id, a10.per_h) == (LINES[3].id, Decimal("1.5"))
    assert (nebius.id, nebius.per_h, nebius.seen) == (LINES[2].id, Decimal("3.85"), "2026-11-20")
    assert rows.skipped == {"instance type not in the catalog": 1}


def test_a_row_is_as_old_as_its_collection() -> None:
    (row,) = adapt(in_chunks(zipped((2026, 7, 19, 0, 0, 0), aws=AWS)), CATALOG).offers
    assert (row.from_, row.seen) == ("2026-07-19", "2026-07-19")


def test_a_clock_ahead_counts_as_today() -> None:
    rows = adapt(in_chunks(zipped((2027, 1, 1, 0, 0, 0), aws=AWS)), CATALOG)
    assert [(row.from_, row.seen) for row in rows.offers] == [(DAY, DAY)]


def test_a_clock_that_was_not_set_is_refused() -> None:
    with pytest.raises(ValueError, match=r"aws\.csv bears the day 1980-01-01"):
        adapt(in_chunks(zipped((1980, 1, 1, 0, 0, 0), aws=AWS)), CATALOG)


@pytest.mark.parametrize("cell", ["NaN", "-50.0", "=50", "1e9", "0.0", ""])
def test_a_bad_price_is_passed_over_and_counted(cell: str) -> None:
    rows = adapt(in_chunks(zipped(aws=AWS.replace(",50.0,", f",{cell},"))), CATALOG)
    assert sum(count for reason, count in rows.skipped.items() if reason.startswith("price is")) == 1
    assert rows.offers == []


def test_a_row_that_is_neither_spot_nor_on_demand_is_passed_over() -> None:
    rows = adapt(in_chunks(zipped(aws=AWS.replace("80.0,False", "80.0,maybe"))), CATALOG)
    assert rows.skipped["neither on-demand nor spot"] == 1


def test_only_exact_names_are_read() -> None:
    """Paths that lead out of a folder, and names of no provider, are not looked at; alone in a zip they are refused."""
    text = zipped(aws=AWS, **{"..__..__etc__passwd": "x", "__aws": "x", "sub__gcp": GCP})
    assert {row.node for row in adapt(in_chunks(text), CATALOG).offers} == {P5.id}
    refused(FEED, zipped(**{"..__aws": AWS}), CATALOG, "aws", "../aws.csv")


def test_a_bomb_is_refused_while_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million blank lines pack into a few kB; the limit is lowered so that the test stays small.

    The checksum is wrong: whoever unpacks to the end first complains about that.
    """
    monkeypatch.setattr(gpuhunt, "LARGEST_FILE", 1_000_000)
    bomb = bytearray(zipped(aws=HEADER + "\r\n" * 1_000_000))
    checksum = bomb.index(b"PK\x01\x02") + 16
    bomb[checksum] ^= 0xFF
    assert len(bomb) < 10_000
    with pytest.raises(ValueError, match=r"aws\.csv unpacks to more than 1,000,000 bytes"):
        adapt(in_chunks(bytes(bomb)), CATALOG)
    monkeypatch.undo()
    refused(FEED, bytes(bomb), CATALOG, "expected a whole aws.csv", "CRC")


def test_an_answer_of_another_shape_is_refused() -> None:
    whole = zipped(aws=AWS)
    refused(FEED, b"<html>AccessDenied</html>", CATALOG, "zip")
    refused(FEED, whole[:-30], CATALOG, "zip")
    refused(FEED, zipped(aws=AWS.replace(",price,", ",usd,")), CATALOG, "missing or doubled: price")
    refused(FEED, zipped(aws=AWS[:-20]), CATALOG, "cut off")
    refused(FEED, zipped(aws=""), CATALOG, "instance_name")
    refused(FEED, zipped(), CATALOG, "an empty zip")
    refused(FEED, zipped(method=ZIP_BZIP2, aws=AWS), CATALOG, "stored or deflated")


def test_one_zip_per_provider_of_the_catalog() -> None:
    assert [request.url.split("/")[-3] for request in requests(CATALOG)] == ["aws", "gcp", "lambdalabs", "nebius"]


def test_any_bytes_give_valid_rows_or_a_refusal() -> None:
    survives_anything(FEED, zipped(aws=AWS, lambdalabs=LAMBDA), CATALOG)
