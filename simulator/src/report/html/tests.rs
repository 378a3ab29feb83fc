//! What the page is made of. How it looks and works in a browser is tested in `tests/browser.rs`.

use std::time::Duration;

use serde_json::Value;

use super::super::{Decision, Heading, Report, Seconds, compute};
use super::*;
use crate::boot::BootProfile;
use crate::script::{START, log};

/// The largest page: `mixed-day` and everything else must stay below.
const PAGE_BYTES_MAX: usize = 8_000_000;

const ONE_POD: &str = "
    0     start
    0     pod a
    0.1   unschedulable a
    0.3   claim c1 serverless
    0.3   notice Nominated Pod a NewClaim placed on new claim c1
    0.4   fleet g 1 c1 spot:m6a.large:us-east-2a
    0.4   bought i-1 spot:m6a.large:us-east-2a 0.036 g
    60.4  boots i-1
    140   joined n1 i-1
    180.4 node-ready n1
    210.4 bound a n1
    235.4 ready a
    600   ended a
    661   notice Disrupted NodeClaim c1 Empty empty since a minute
    662.5 terminated i-1
";

/// Text that would run, load or end something if it were taken for markup.
const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">&lt;'";

fn report(scenario: &str, text: &str) -> Report {
    let boot = BootProfile::named("reference").expect("the profile comes with the simulator");
    let heading = Heading {
        scenario,
        description: "One pod, one node.",
        seed: 7,
        boot: &boot,
        start: START,
        end: START.saturating_add(Duration::from_mins(15)),
        oracle_checks: 12,
    };
    compute(&heading, &log(text))
}

/// The page without the library, in which the words of the tests below may stand.
fn own_part(page: &str) -> String {
    let parts: Vec<&str> = page.split(LIBRARY).collect();
    assert_eq!(parts.len(), 2, "the library stands in the page once");
    parts.concat()
}

/// The block that the script reads.
fn data(page: &str) -> Value {
    let opening = "<script type=\"application/json\" id=\"data\">";
    let (_, rest) = page.split_once(opening).expect("the page has data");
    let (json, _) = rest.split_once("</script>").expect("the data ends");
    serde_json::from_str(json).expect("the data is JSON")
}

#[test]
fn the_page_loads_nothing() {
    let page = own_part(&to_html(&report("by-hand", ONE_POD), &[]));
    for loading in [
        "http://",
        "https://",
        "//cdn",
        "@import",
        "url(",
        " src=",
        " href=",
        "<link",
        "<iframe",
        "import(",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!page.contains(loading), "{loading} is in the page");
    }
    assert!(
        page.contains("content=\"default-src 'none'; "),
        "nothing may be loaded"
    );
}

#[test]
fn text_stays_text() {
    let mut report = report(HOSTILE, ONE_POD);
    report.details.description = HOSTILE.to_owned();
    report.details.machines[0].name = HOSTILE.to_owned();
    report.details.marks[0].what = HOSTILE.to_owned();
    report.details.course.machines_by_type.layers[0].name = HOSTILE.to_owned();
    let decision = &mut report.decisions[0];
    decision.name = HOSTILE.to_owned();
    decision.message = HOSTILE.to_owned();
    let page = own_part(&to_html(&report, &[HOSTILE.to_owned()]));
    // The data, the library, the page's own script.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<img"), "an element came out of a name");
    let data = data(&page);
    assert_eq!(data["decisions"][0][2], HOSTILE);
    assert_eq!(data["decisions"][0][5], HOSTILE);
    assert_eq!(data["machinesByType"]["layers"][0]["name"], HOSTILE);
}

/// What the script makes of text must be text too.
#[test]
fn the_script_never_makes_markup_of_text() {
    for word in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!SCRIPT.contains(word), "{word}");
    }
    for (name, part) in [("library", LIBRARY), ("script", SCRIPT)] {
        assert!(
            !part.contains("</script"),
            "the {name} would end its element"
        );
    }
    assert!(
        !STYLE.contains("</style"),
        "the style would end its element"
    );
}

#[test]
fn the_data_is_that_of_the_report() {
    let report = report("by-hand", ONE_POD);
    let data = data(&to_html(&report, &[]));
    assert_eq!(data["end"], 900_000);
    assert_eq!(data["percentiles"][0], 235_400);
    assert_eq!(data["machinesByPurchase"]["layers"][0]["name"], "spot");
    // The curve of the bill ends at the bill.
    let bill = data["spending"]["bill"].as_array().expect("a list");
    assert_eq!(bill.last(), Some(&Value::from(6_621)));
    assert_eq!(report.cost_usd.to_string(), "$0.006621");
    let rows = data["decisions"].as_array().expect("a list");
    assert_eq!(rows.len(), report.decisions.len());
    let expected = [
        Value::from(300),
        "Pod".into(),
        "a".into(),
        "Nominated".into(),
        "NewClaim".into(),
        "placed on new claim c1".into(),
    ];
    assert_eq!(rows[0].as_array().expect("a row"), &expected);
}

#[test]
fn failures_stand_at_the_top() {
    let report = report("by-hand", ONE_POD);
    let good = to_html(&report, &[]);
    assert!(good.contains("oracle checks passed"));
    assert!(!good.contains("role=\"alert\""));
    let bad = to_html(&report, &["limits: pool a has too much".to_owned()]);
    assert!(!bad.contains("oracle checks passed"));
    assert!(bad.contains("<li>limits: pool a has too much</li>"));
}

#[test]
fn a_page_of_a_great_world_stays_small() {
    let mut report = report("by-hand", ONE_POD);
    let decision = |index: u64| Decision {
        time_seconds: Seconds(Duration::from_millis(index)),
        message: format!("{index}: {}", "a sentence of some length ".repeat(6)),
        ..report.decisions[0].clone()
    };
    report.decisions = (0..100_000).map(decision).collect();
    let page = to_html(&report, &[]);
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());
    let shown = data(&page)["decisions"].as_array().map_or(0, Vec::len);
    assert!((10_000..100_000).contains(&shown), "{shown}");
    let words = format!("The first {shown} of 100000 decisions");
    assert!(page.contains(&words), "{words}");
}
