#!/usr/bin/env python3
"""Writes the catalogue of a region. Run by hand; needs Python 3.11 and nothing else.

    pip download --no-deps moto==5.2.5
    go mod download -json github.com/aws/amazon-vpc-resource-controller-k8s@v1.8.1   # prints "Dir"
    python3 generate.py --moto moto-5.2.5-py3-none-any.whl --limits DIR/pkg/aws/vpc/limits.go \\
        --prices-here ec2-prices-us-east-2.csv --prices-elsewhere ec2-prices-us-east-1.csv \\
        --out ../us-east-2.json

The wheel and the Go file are read as data; nothing of them is run. The price files have the columns
instance_type, zone_id, on_demand_usd_per_hour, spot_usd_per_hour; the README beside the catalogue names
their sources. Equal inputs give equal bytes. What is printed at the end belongs into that README.
"""

import argparse
import csv
import gzip
import json
import re
import zipfile
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

import spot

REGION = "us-east-2"
ELSEWHERE = "us-east-1"
ZONES = {"us-east-2a": "use2-az1", "us-east-2b": "use2-az2", "us-east-2c": "use2-az3"}
MOTO = "5.2.5"
LIMITS = "amazon-vpc-resource-controller-k8s v1.8.1"
LIMITS_MADE = "2026-08-06"

ABOUT = {
    "facts": f"DescribeInstanceTypes and DescribeInstanceTypeOfferings as recorded in moto {MOTO} (Apache-2.0);"
    " date not stated there",
    "branchInterfaces": f"table of {LIMITS} (Apache-2.0), generated {LIMITS_MADE}",
    "read": "price of this region, Linux, shared tenancy, US dollars an hour: SkyPilot catalogue v9 (Apache-2.0),"
    " aws/vms.csv at commit 2c3d7ea7d76bf84cf80d382e946c1609571485fd; date not known",
    "elsewhere": f"on-demand price of {ELSEWHERE}: karpenter-provider-aws (Apache-2.0), zz_generated.pricing_aws.go,"
    " generated 2026-07-20",
    "family": "on-demand price of the nearest size of the family that was read here, by virtual processors",
    "model": "spot price computed by generate/spot.py from prices that were read",
}


def main():
    parser = argparse.ArgumentParser(description="Writes the catalogue of a region.")
    for name in ("moto", "limits", "prices-here", "prices-elsewhere", "out"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    described, zones_of = read_moto(arguments.moto)
    branches = read_limits(arguments.limits)
    here, elsewhere = read_prices(arguments.prices_here), read_prices(arguments.prices_elsewhere)
    sizes = {name: processors(described[name]) for name in zones_of}
    model = spot.calibrate(spot_rows(here), sizes)
    types = []
    for name in sorted(zones_of, key=lambda name: order(name, sizes)):
        entry = facts(described[name], branches.get(name, 0))
        entry.update(prices(entry, zones_of[name], Prices(here, elsewhere, sizes, model)))
        types.append(entry)
    with open(arguments.out, "w", encoding="utf-8") as out:
        out.write(render(types))
    report(types, here, sizes)


class Prices:
    """What is known of prices, and what follows from it."""

    def __init__(self, here, elsewhere, sizes, model):
        self.here, self.elsewhere, self.sizes, self.model = here, elsewhere, sizes, model

    def on_demand(self, name):
        """The price with its origin; none where nobody could say what the type costs."""
        if name in self.here:
            return {"read": self.here[name].on_demand}
        siblings = [other for other in self.here if family(other) == family(name) and other in self.sizes]
        # A family that costs something else here than there does so in every size.
        agree = all(
            Decimal(self.here[other].on_demand) == Decimal(self.elsewhere[other].on_demand)
            for other in siblings
            if other in self.elsewhere
        )
        if name in self.elsewhere and agree:
            return {"elsewhere": self.elsewhere[name].on_demand}
        if not siblings:
            return None
        nearest = min(siblings, key=lambda other: (abs(self.sizes[other] - self.sizes[name]), other))
        price = Decimal(self.here[nearest].on_demand) * self.sizes[name] / self.sizes[nearest]
        return {"family": plain(price.quantize(Decimal("0.00001"), ROUND_HALF_UP))}

    def spot(self, name, zone, on_demand):
        """The spot price in a zone with its origin."""
        known = self.here.get(name)
        if known and known.spot.get(zone):
            return {"read": known.spot[zone]}
        (text,) = on_demand.values()
        return {"model": plain(self.model.price(name, zone, self.sizes[name], Decimal(text)))}


class Read:
    """The prices that were read of one type."""

    def __init__(self, on_demand):
        self.on_demand, self.spot = on_demand, {}


def read_moto(path):
    """The types as EC2 describes them, and the zones of each type of the region."""
    with zipfile.ZipFile(path) as wheel:
        if f"moto-{MOTO}.dist-info/METADATA" not in wheel.namelist():
            raise SystemExit(f"{path} is not moto {MOTO}")

        def resource(name):
            text = gzip.decompress(wheel.read(f"moto/ec2/resources/{name}.json.gz"))
            return json.loads(text, parse_float=Decimal)

        described = resource("instance_types")
        zones_of = defaultdict(set)
        for offering in resource(f"instance_type_offerings/availability-zone-id/{REGION}"):
            zones_of[offering["InstanceType"]].add(offering["Location"])
    return described, zones_of


def read_limits(path):
    """Branch interfaces by type, where the type can have any."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if f"This file was generated at {LIMITS_MADE}" not in text:
        raise SystemExit(f"{path} is not the table of {LIMITS}")
    entry = re.compile(
        r'^\t"(?P<name>[^"]+)": \{.*?IsTrunkingCompatible:\s+(?P<trunk>true|false),\s+'
        r"BranchInterface:\s+(?P<count>\d+),.*?^\t\},$",
        re.MULTILINE | re.DOTALL,
    )
    found = {match["name"]: match for match in entry.finditer(text)}
    return {name: int(match["count"]) for name, match in found.items() if match["trunk"] == "true"}


def read_prices(path):
    known = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name, on_demand = row["instance_type"], row["on_demand_usd_per_hour"]
            read = known.setdefault(name, Read(on_demand))
            if read.on_demand != on_demand:
                raise SystemExit(f"{path}: {name} has two prices on demand")
            if row["spot_usd_per_hour"]:
                read.spot[row["zone_id"]] = row["spot_usd_per_hour"]
    return known


def spot_rows(here):
    """Every spot price that was read, beside the price on demand."""
    for name, read in sorted(here.items()):
        for zone, text in sorted(read.spot.items()):
            yield spot.Row(name, zone, Decimal(text), Decimal(read.on_demand))


def family(name):
    return name.split(".")[0]


def order(name, sizes):
    """Families by name, in them the small before the large."""
    return family(name), sizes[name], name


def processors(described):
    return described["VCpuInfo"]["DefaultVCpus"]


def facts(described, branches):
    """One type in the format of the catalogue; what is false, zero or nothing is left out."""
    processor = described["ProcessorInfo"]
    known = [name for name in processor["SupportedArchitectures"] if name in ("x86_64", "arm64")]
    ebs = described["EbsInfo"]
    entry = {
        "name": described["InstanceType"],
        "architecture": known[0] if known else "mac",
        "cpuManufacturer": processor["Manufacturer"],
        "cpus": processors(described),
        "clockMhz": whole(processor.get("SustainedClockSpeedInGhz", Decimal(0)) * 1000),
        "memoryMib": described["MemoryInfo"]["SizeInMiB"],
        "hypervisor": described.get("Hypervisor"),
        "nitroEnclaves": described["NitroEnclavesSupport"] == "supported",
        "ebsBandwidthMbps": ebs["EbsOptimizedInfo"]["MaximumBandwidthInMbps"]
        if ebs["EbsOptimizedSupport"] == "default"
        else None,
        "usageClasses": [way for way in described["SupportedUsageClasses"] if way in ("on-demand", "spot")],
        "network": network(described["NetworkInfo"], branches),
        "storage": storage(described.get("InstanceStorageInfo")),
        "gpus": [gpu(kind) for kind in described.get("GpuInfo", {}).get("Gpus", [])],
        "neuronDevices": [
            {"name": kind["Name"], "count": kind["Count"], "cores": kind["CoreInfo"]["Count"]}
            for kind in described.get("NeuronInfo", {}).get("NeuronDevices", [])
        ],
        "inferenceAccelerators": [
            {"name": kind["Name"], "manufacturer": kind["Manufacturer"], "count": kind["Count"]}
            for kind in described.get("InferenceAcceleratorInfo", {}).get("Accelerators", [])
        ],
    }
    return said(entry)


def network(described, branches):
    """Interfaces are those of the default card: others carry no pods. The bandwidth is that of all cards."""
    cards = described["NetworkCards"]
    default = described["DefaultNetworkCardIndex"]
    (card,) = [card for card in cards if card["NetworkCardIndex"] == default]
    baselines = [card.get("BaselineBandwidthInGbps") for card in cards]
    return said(
        {
            "interfaces": card["MaximumNetworkInterfaces"],
            "addressesPerInterface": described["Ipv4AddressesPerInterface"],
            "bandwidthMbps": None if None in baselines else whole(sum(baselines) * 1000),
            "branchInterfaces": branches,
            "efaInterfaces": described.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0),
            "encryptionInTransit": described["EncryptionInTransitSupported"],
        }
    )


def storage(described):
    if described is None:
        return None
    return {"gb": described["TotalSizeInGB"], "nvme": described.get("NvmeSupport") != "unsupported"}


def gpu(kind):
    return {
        "name": kind["Name"],
        "manufacturer": kind["Manufacturer"],
        "count": kind["Count"],
        "memoryMib": kind["MemoryInfo"]["SizeInMiB"],
    }


def said(entry):
    return {key: value for key, value in entry.items() if value not in (None, False, 0, [])}


def whole(number):
    return int(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))


def plain(number):
    return format(number.normalize(), "f")


def prices(entry, zones, known):
    name = entry["name"]
    on_demand = known.on_demand(name) if "on-demand" in entry["usageClasses"] else None
    offerings = []
    for zone in sorted(zones):
        offered = {"zone": zone}
        if on_demand and "spot" in entry["usageClasses"]:
            offered["spot"] = known.spot(name, zone, on_demand)
        offerings.append(offered)
    return said({"onDemand": on_demand, "offerings": offerings})


def render(types):
    """Two lines a type: what it is, and what it costs."""

    def line(value):
        return json.dumps(value, ensure_ascii=False)

    zones = [line({"name": name, "id": identifier}) for name, identifier in ZONES.items()]
    blocks = []
    for entry in types:
        cost = {key: entry[key] for key in ("onDemand", "offerings") if key in entry}
        rest = {key: value for key, value in entry.items() if key not in cost}
        blocks.append(f"    {line(rest)[:-1]},\n     {line(cost)[1:]}")
    about = ",\n".join(f"    {line(key)}: {line(value)}" for key, value in ABOUT.items())
    return (
        f'{{\n  "about": {{\n{about}\n  }},\n  "region": {line(REGION)},\n  "zones": [\n    '
        + ",\n    ".join(zones)
        + '\n  ],\n  "types": [\n'
        + ",\n".join(blocks)
        + "\n  ]\n}\n"
    )


def report(types, here, sizes):
    origins = Counter(origin for entry in types for origin in entry.get("onDemand", {"none": ""}))
    print(f"{len(types)} types; on demand: {dict(sorted(origins.items()))}")
    offers = [offer for entry in types for offer in entry["offerings"]]
    origins = Counter(origin for offer in offers for origin in offer.get("spot", {"none": ""}))
    print(f"{len(offers)} zones of types; spot: {dict(sorted(origins.items()))}")
    for line in spot.validate(list(spot_rows(here)), sizes):
        print(line)


if __name__ == "__main__":
    main()
