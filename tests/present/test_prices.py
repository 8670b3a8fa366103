"""How the age of a price is shown."""

from present import samples

from infra_advisor.present import prices
from infra_advisor.present.output import render
from infra_advisor.present.screen import Screen
from infra_advisor.present.words import words

SAY = words()
OLD = samples.answer(offer=samples.offer(price_age_d=63, price_age_limit_d=30.0, price_confidence="aged", price_date="2026-09-20"))
DOUBTED = samples.answer(offer=OLD.offer.model_copy(update={"marks": ("spot",)}))
FRESH = samples.answer()


def test_an_old_price_is_marked_in_every_place_that_shows_it() -> None:
    assert (prices.age(SAY, OLD).text, prices.age(SAY, OLD).tone) == ("63 d aged", "warn")
    assert prices.age(SAY, DOUBTED).text == "63 d aged ! spot"
    assert prices.dated(SAY, OLD) == "2026-09-20 (63 d) aged"
    assert prices.starred(SAY, OLD).text == "63 d*"
    assert prices.date(SAY, OLD) == "2026-09-20 aged"


def test_a_fresh_one_is_not() -> None:
    assert (prices.age(SAY, FRESH).text, prices.age(SAY, FRESH).tone) == ("12 d", "plain")
    assert prices.starred(SAY, FRESH).text == "12 d"
    assert prices.doubt(SAY, FRESH) == []


def test_the_headline_and_the_legend_say_what_it_means() -> None:
    text = " ".join(render(samples.recommendation(ranked=(OLD,)), "table", screen=Screen(160)).split())
    assert "Its price was seen 63 d ago and is believed for 30 d: the cost is less sure than its band says." in text
    assert "Aged (*): a price last seen longer ago than prices of its kind are believed." in text
    assert "aged" not in render(samples.recommendation(ranked=(FRESH,)), "table", screen=Screen(160)).lower().replace("advantaged", "")
