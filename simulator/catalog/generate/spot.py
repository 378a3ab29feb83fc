"""A model of the spot prices that nobody read.

Spot costs a share of the price on demand. What was read shows that the share depends on the size of a
machine a little, and on the maker, the category and the zone not at all; beyond that families, types
and zones scatter. So the model has two parts, both in whole parts per thousand:

- the centre: the median share of the machines of a size class;
- the scatter: a factor for the family, one for the type and one for the type in its zone, each drawn by a
  hash of the name from five steps, the middles of the fifths of such factors among the rows that were read.

A share is never below a tenth, the least that was read, and never above the price on demand.
"""

import hashlib
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import NamedTuple

WHOLE = 1000
SHARE_MIN = 100


class Row(NamedTuple):
    """A spot price that was read."""

    name: str
    zone: str
    spot: Decimal
    on_demand: Decimal

    def share(self):
        return self.spot * WHOLE / self.on_demand


class Model(NamedTuple):
    """Median shares by size class, and how families, types and zones scatter around them."""

    centres: dict
    scatter: dict

    def share(self, name, zone, processors):
        family = name.split(".")[0]
        share = Decimal(self.centre(name, processors))
        for level, text in (("family", family), ("type", name), ("zone", f"{name} {zone}")):
            steps = self.scatter[level]
            share = share * steps[draw(f"{level} {text}", len(steps))] / WHOLE
        return min(max(share, Decimal(SHARE_MIN)), Decimal(WHOLE))

    def centre(self, name, processors):
        return self.centres[size_class(name, processors)]

    def price(self, name, zone, processors, on_demand):
        price = on_demand * self.share(name, zone, processors) / WHOLE
        return price.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def size_class(name, processors):
    if "metal" in name.split(".")[1]:
        return "metal"
    if processors <= 2:
        return "small"
    return "middle" if processors <= 32 else "large"


def draw(text, bound):
    """A number below the bound that is the same for the same text everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % bound


def calibrate(rows, sizes):
    rows = list(rows)
    by_class = defaultdict(list)
    for row in rows:
        by_class[size_class(row.name, sizes[row.name])].append(row.share())
    centres = {name: whole(median(shares)) for name, shares in sorted(by_class.items())}
    # Each level in turn: the median of a group, then what is left below it.
    left = [(row, row.share() / centres[size_class(row.name, sizes[row.name])]) for row in rows]
    scatter = {}
    for level, group in (("family", family_of), ("type", type_of), ("zone", zone_of)):
        groups = defaultdict(list)
        for row, factor in left:
            groups[group(row)].append(factor)
        medians = {name: median(factors) for name, factors in groups.items()}
        scatter[level] = steps(medians.values())
        left = [(row, factor / medians[group(row)]) for row, factor in left]
    return Model(centres, scatter)


def family_of(row):
    return row.name.split(".")[0]


def type_of(row):
    return row.name


def zone_of(row):
    return row.name, row.zone


def steps(values):
    """The middle of each fifth of the values."""
    ordered = sorted(values)
    return [whole(ordered[(2 * fifth + 1) * len(ordered) // 10] * WHOLE) for fifth in range(5)]


def whole(number):
    return int(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))


def validate(rows, sizes):
    """How far the model is from prices of families that it has not seen."""
    families = sorted({family_of(row) for row in rows})
    centre, drawn = [], []
    for family in families:
        model = calibrate([row for row in rows if family_of(row) != family], sizes)
        for row in (row for row in rows if family_of(row) == family):
            centre.append(model.centre(row.name, sizes[row.name]) / row.share())
            drawn.append(model.share(row.name, row.zone, sizes[row.name]) / row.share())
    model = calibrate(rows, sizes)
    yield f"centres {model.centres}"
    for level, values in model.scatter.items():
        yield f"scatter of {level} {values}"
    yield f"{len(rows)} rows of {len(families)} families, each family left out in turn; model to read:"
    yield f"  centre alone: {quantiles(centre)}"
    yield f"  as drawn:     {quantiles(drawn)}"
    yield f"share of the price on demand, read:  {quantiles([row.share() for row in rows], 0)}"
    shares = [model.share(row.name, row.zone, sizes[row.name]) for row in rows]
    yield f"share of the price on demand, drawn: {quantiles(shares, 0)}"


def quantiles(values, places=2):
    ordered = sorted(values)
    named = ((10, "tenth"), (25, "quarter"), (50, "median"), (75, "three quarters"), (90, "nine tenths"))
    texts = (f"{name} {ordered[len(ordered) * part // 100]:.{places}f}" for part, name in named)
    return ", ".join(texts)
