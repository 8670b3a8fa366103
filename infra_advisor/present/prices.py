"""How a price is shown: its age, and the marks of one to look at twice."""

from infra_advisor.advice.answer import Answer
from infra_advisor.present import numbers
from infra_advisor.present.blocks import Text
from infra_advisor.present.words import Words


def age(say: Words, answer: Answer) -> Text:
    """Age of the price, marked where it is old, with `!` and the marks where a buyer should look twice."""
    offer = answer.offer
    age = say("age", days=offer.price_age_d) if offer.price_age_d is not None else offer.price_date or numbers.UNKNOWN
    doubted = offer.marks or is_aged(answer)
    return Text(_marked(say, answer, age), "warn" if doubted else "plain")


def is_aged(answer: Answer) -> bool:
    """True where the price was seen longer ago than prices of its kind are believed."""
    return answer.offer.price_confidence == "aged"


def _marked(say: Words, answer: Answer, text: str) -> str:
    aged = say("price.aged", text=text) if is_aged(answer) else text
    return f"{aged} ! {' '.join(answer.offer.marks)}" if answer.offer.marks else aged


def doubt(say: Words, answer: Answer) -> list[Text]:
    """`Its price was seen 63 d ago and is believed for 30 d: ...`, where that is so."""
    offer = answer.offer
    if not is_aged(answer) or offer.price_age_limit_d is None:
        return []
    believed = say("age", days=numbers.whole(offer.price_age_limit_d))
    return [Text(say("price.doubt", age=say("age", days=offer.price_age_d), believed=believed), "warn")]


def kind(say: Words, answer: Answer) -> str:
    """`on-demand`, `street`, with the marks."""
    kind = say.name("price_kind", answer.offer.price_kind)
    return f"{kind} ! {' '.join(answer.offer.marks)}" if answer.offer.marks else kind


def dated(say: Words, answer: Answer) -> str:
    """`2026-11-10 (12 d)`, with the marks, and `aged` where it is old."""
    offer = answer.offer
    date = offer.price_date or numbers.UNKNOWN
    return _marked(
        say, answer, date if offer.price_age_d is None else say("price.dated", date=date, age=say("age", days=offer.price_age_d))
    )


def date(say: Words, answer: Answer) -> str:
    """`2026-11-10`, or `2026-05-02 aged`."""
    date = answer.offer.price_date or numbers.UNKNOWN
    return say("price.aged", text=date) if is_aged(answer) else date


def starred(say: Words, answer: Answer) -> Text:
    """`12 d`, or `93 d*` where that is old: for columns with little room."""
    days = answer.offer.price_age_d
    text = numbers.UNKNOWN if days is None else say("age", days=days)
    return Text(say("price.starred", text=text), "warn") if is_aged(answer) else Text(text)
