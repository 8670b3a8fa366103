"""Words about the age of prices."""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "col.price_age": "price age",
    "price.aged": "{text} aged",
    "price.starred": "{text}*",
    "price.doubt": "Its price was seen {age} ago and is believed for {believed}: the cost is less sure than its band says.",
    "legend.aged": "Aged: a price last seen longer ago than prices of its kind are believed.",
    "legend.aged.starred": "Aged (*): a price last seen longer ago than prices of its kind are believed.",
}
