//! The table for people.

use tidewright::cloud::region::Region;
use tidewright::cloud::region::facts::PriceOrigin;
use tidewright::model::catalog::{CapacityType, InstanceType};
use tidewright::model::labels::keys;
use tidewright::model::node_class::NodeClass;
use tidewright::model::price::Price;
use tidewright::model::quantity::Quantity;
use tidewright::model::requirement::ValueSet;
use tidewright::model::resources::{ResourceName, Resources, format_amount};

use super::listing::{Listed, Listing, Scope};
use crate::report::{COLUMNS, Lean, Table, wrapped};

const MEBIBYTE: i64 = 1 << 20;

/// What a cell says where there is nothing.
const NONE: &str = "-";

/// The listing as it is printed: what can be bought, what cannot, and where the facts come from.
pub fn to_text(region: &Region, class: &NodeClass, scope: &Scope, listing: &Listing) -> String {
    let (lost, sold): (Vec<_>, Vec<_>) = listing
        .types
        .iter()
        .partition(|it| it.unavailable.is_some());
    let parts = [
        title(region, class, scope, &sold),
        for_sale(region, &sold),
        not_for_sale(region, &lost),
        legend(region),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    parts.join("\n")
}

fn title(region: &Region, class: &NodeClass, scope: &Scope, sold: &[&Listed]) -> String {
    let class = &class.reference;
    let whose = match scope {
        Scope::Pool(pool) => format!("NodePool {} with {class}", pool.name),
        Scope::Class | Scope::Everything => class.to_string(),
    };
    let count = match sold.len() {
        0 => "no instance type".to_owned(),
        1 => "1 instance type".to_owned(),
        count => format!("{count} instance types"),
    };
    let order = if sold.len() > 1 {
        ", the cheapest first"
    } else {
        ""
    };
    let text = format!("{whose}: {count} for sale in {}{order}", region.name());
    format!("{}\n", wrapped(&text, COLUMNS, 2))
}

fn for_sale(region: &Region, sold: &[&Listed]) -> String {
    if sold.is_empty() {
        return String::new();
    }
    let accelerated = sold.iter().any(|it| devices(&it.instance_type) > 0);
    let mut columns = Columns::of_sizes(accelerated);
    columns.add("on-demand", Lean::Right);
    columns.add("spot", Lean::Right);
    for listed in sold {
        let mut cells = sizes(region, listed, accelerated);
        for capacity_type in [CapacityType::OnDemand, CapacityType::Spot] {
            let offerings = listed.for_sale();
            let prices = offerings.filter(|it| it.capacity_type == capacity_type);
            let cheapest = prices.min_by_key(|it| it.rank);
            cells.push(cheapest.map_or(NONE.to_owned(), |it| {
                let key = it.key(&listed.instance_type.name);
                price(it.price, region.price_origin(&key))
            }));
        }
        columns.table.cells(cells);
    }
    columns.render()
}

fn not_for_sale(region: &Region, lost: &[&Listed]) -> String {
    if lost.is_empty() {
        return String::new();
    }
    let mut columns = Columns::of_sizes(false);
    columns.add("because", Lean::Left);
    for listed in lost {
        let mut cells = sizes(region, listed, false);
        let because = listed.unavailable.map(|it| it.to_string());
        cells.push(because.unwrap_or_default());
        columns.table.cells(cells);
    }
    format!("Not for sale: {}\n{}", lost.len(), columns.render())
}

/// A table whose head and leans grow together.
struct Columns {
    head: Vec<String>,
    leans: Vec<Lean>,
    table: Table,
}

impl Columns {
    fn of_sizes(accelerated: bool) -> Self {
        let mut columns = Self {
            head: Vec::new(),
            leans: Vec::new(),
            table: Table::default(),
        };
        columns.add("type", Lean::Left);
        for name in ["vCPU", "memory", "pods", "cpu left", "memory left"] {
            columns.add(name, Lean::Right);
        }
        if accelerated {
            columns.add("accel", Lean::Right);
        }
        columns.add("zones", Lean::Left);
        columns
    }

    fn add(&mut self, name: &str, lean: Lean) {
        self.head.push(name.to_owned());
        self.leans.push(lean);
    }

    fn render(self) -> String {
        let mut table = Table::default();
        table.cells(self.head);
        table.append(self.table);
        table.render(&self.leans)
    }
}

/// The cells that do not depend on prices.
fn sizes(region: &Region, listed: &Listed, accelerated: bool) -> Vec<String> {
    let it = &listed.instance_type;
    let left = it.allocatable();
    let mut cells = vec![
        it.name.to_string(),
        format_amount(&ResourceName::CPU, it.capacity.cpu_millis()),
        promised_memory(it),
        it.capacity.pods().to_string(),
        amount(&left, &ResourceName::CPU),
        mebibytes(left.memory_bytes()),
    ];
    if accelerated {
        cells.push(match devices(it) {
            0 => NONE.to_owned(),
            count => count.to_string(),
        });
    }
    cells.push(zones(region, it));
    cells
}

fn amount(resources: &Resources, name: &ResourceName) -> String {
    format_amount(name, resources.get(name))
}

/// Whole mebibytes: the exact bytes of a share of a threshold would only make columns wide.
fn mebibytes(bytes: i64) -> String {
    format!("{}Mi", bytes.div_euclid(MEBIBYTE))
}

/// What EC2 promises, which is what people know a type by.
fn promised_memory(it: &InstanceType) -> String {
    let label = it.requirements.get(keys::INSTANCE_MEMORY);
    let value = label.and_then(|it| it.values.single());
    let mebibytes = value.and_then(|it| it.as_str().parse::<i64>().ok());
    mebibytes.map_or(NONE.to_owned(), |count| {
        Quantity::from_bytes(count * MEBIBYTE).to_string()
    })
}

/// GPUs and other accelerators, whoever makes them.
fn devices(it: &InstanceType) -> i64 {
    const DEVICES: [&str; 4] = [
        "nvidia.com/gpu",
        "amd.com/gpu",
        "habana.ai/gaudi",
        "aws.amazon.com/neuron",
    ];
    let counts = DEVICES.map(|name| it.capacity.get(&name.into()));
    counts.iter().sum()
}

/// The zones that offer the type, without the name of the region before them.
fn zones(region: &Region, it: &InstanceType) -> String {
    let offered = it.requirements.get(keys::ZONE);
    let Some(ValueSet::Only(names)) = offered.map(|it| &it.values) else {
        return NONE.to_owned();
    };
    let names = names.iter().map(|name| short(region, name.as_str()));
    let names: Vec<&str> = names.collect();
    names.join(",")
}

fn short<'a>(region: &Region, zone: &'a str) -> &'a str {
    zone.strip_prefix(region.name()).unwrap_or(zone)
}

/// At least four decimals, blanks for the others, so that the points stand below each other, and
/// the letter of an origin that is not this region's price list.
fn price(price: Price, origin: Option<PriceOrigin>) -> String {
    let text = price.to_string();
    let digits = text.trim_end_matches('0');
    let point = text.find('.').map_or(0, |point| point + 5);
    let kept = digits.len().max(point).min(text.len());
    let mark = origin.map_or(UNMARKED, mark);
    format!("{:<width$} {mark}", &text[..kept], width = text.len())
}

const UNMARKED: &str = " ";

fn mark(origin: PriceOrigin) -> &'static str {
    match origin {
        PriceOrigin::Read => UNMARKED,
        PriceOrigin::Elsewhere => "e",
        PriceOrigin::Family => "f",
        PriceOrigin::Model => "m",
    }
}

/// What the words of the table mean, and where the facts come from.
fn legend(region: &Region) -> String {
    let zones = region.zones().iter();
    let zones = zones.map(|zone| format!("{} {}", short(region, &zone.name), zone.id));
    let zones: Vec<String> = zones.collect();
    let mut lines = vec![
        "cpu and memory left: what pods and DaemonSets can use of a node".to_owned(),
        format!("zones: {}", zones.join(", ")),
        "prices: US dollars an hour, in the cheapest of the zones; e, f and m mark those that were not \
         read in this region, but are taken from elsewhere, from the family or from a model"
            .to_owned(),
    ];
    let about = region.about().iter();
    lines.extend(about.map(|(what, source)| format!("{what}: {source}")));
    let lines = lines.iter().map(|line| wrapped(line, COLUMNS, 2));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_points_stand_below_each_other() {
        let (read, model) = (Some(PriceOrigin::Read), Some(PriceOrigin::Model));
        let cases = [
            ("0.0042", read, "0.0042    "),
            ("0.021250", model, "0.02125  m"),
            ("12", Some(PriceOrigin::Elsewhere), "12.0000   e"),
            ("0.000001", Some(PriceOrigin::Family), "0.000001 f"),
        ];
        for (text, origin, shown) in cases {
            let read = Price::parse_decimal(text).expect(text);
            assert_eq!(price(read, origin), shown);
        }
    }
}
