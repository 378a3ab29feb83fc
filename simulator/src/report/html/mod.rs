//! The report as one page: charts, tables and the decisions, in a file that needs nothing else.
//!
//! The page carries its style, its script and the charting library in itself, and forbids the
//! browser to load anything: it works from a disk, in a mail, behind any wall. Whatever comes from
//! a scenario is escaped by the templates, or stands in a block of JSON that holds no angle bracket.
//! Nothing in it depends on the machine that wrote it.

mod data;
mod figures;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figure::clock;
use super::{Details, Report};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The charting library; [its README](../../../vendor/plotly/README.md) says where it is from.
const LIBRARY: &str = include_str!("../../../vendor/plotly/plotly-basic.min.js");

/// Nothing may be loaded. The library draws with styles of its own.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// The report as a page, with what failed in the run: of oracles and of expectations.
pub fn to_html(report: &Report, failures: &[String]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (report.scenario) " \u{b7} Tidewright" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(report, failures))
                main {
                    (figures::tiles(report))
                    (charts())
                    (tables::stages(report))
                    (decisions(report))
                    (tables::machines(report))
                    (tables::unplaced(report))
                    (tables::marks(report))
                    (tables::faults(report))
                    (tables::profile(report))
                }
                script type="application/json" id="data" { (PreEscaped(data::block(report))) }
                script { (PreEscaped(LIBRARY)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn header(report: &Report, failures: &[String]) -> Markup {
    let Details {
        description, start, ..
    } = &report.details;
    html! {
        header.top {
            p.product { "Tidewright simulator" }
            h1 { (report.scenario) }
            p.description { (description) }
            ul.chips {
                li { "seed " b { (report.seed) } }
                li { "boot profile " b { (report.boot_profile) } }
                li { b { (clock(report.virtual_seconds.0)) } " of virtual time from " b { (start) } }
                @if failures.is_empty() {
                    li.good { b { (figures::grouped(report.oracle_checks)) } " oracle checks passed" }
                } @else {
                    li.bad { b { (failures.len()) } " failed" }
                }
            }
            @if !failures.is_empty() {
                ul.failures role="alert" {
                    @for failure in failures { li { (failure) } }
                }
            }
        }
    }
}

/// A place for a chart, and what it shows in words.
fn chart(id: &str, title: &str, says: &str) -> Markup {
    html! {
        figure.card.chart id=(id) {
            figcaption { h3 { (title) } p { (says) } }
            div.plot role="img" aria-label=(says) {}
        }
    }
}

fn charts() -> Markup {
    html! {
        section aria-labelledby="over-time" {
            h2 id="over-time" { "Over time" }
            p.hint {
                "Time is virtual and counts from the start. Drag across a chart to look closer at a \
                 span; all charts follow. A double click shows everything again."
            }
            noscript { p.hint { "The charts need JavaScript. The tables below do not." } }
            div.charts {
                (chart("machines-by-purchase", "Machines by purchase option",
                    "Machines that cost money, by how they are paid for."))
                (chart("machines-by-type", "Machines by instance type",
                    "The same machines by instance type; those used most have a colour of their own."))
                (chart("pods", "Pods",
                    "Pods without a node, pods that start on one, and pods that answer."))
                (chart("spending", "Dollars an hour, and the bill",
                    "What the running machines cost an hour, and what all have cost so far."))
                (chart("events", "What happened",
                    "What explains a turn of a curve: a larger mark stands for more of a kind."))
                (chart("waiting-by-creation", "Waiting time by creation",
                    "From a pod's creation to its answer; of each slice of time the longest wait."))
                (chart("waiting-histogram", "How many pods waited how long",
                    "All pods that answered, by the time from their creation to their answer."))
            }
        }
    }
}

/// The table is filled by the script, page by page: there may be thousands of rows.
fn decisions(report: &Report) -> Markup {
    let (shown, all) = (data::decisions(report).len(), report.decisions.len());
    html! {
        section aria-labelledby="decisions-title" {
            h2 id="decisions-title" { "Decisions" }
            @if shown < all {
                p.hint {
                    "The first " (shown) " of " (all) " decisions; the report as JSON has all of them."
                }
            }
            div.controls role="search" {
                label { "Search "
                    input #search type="search" placeholder="words that all occur" autocomplete="off";
                }
                label { "Action " select #action { option value="" { "all" } } }
                label { "Object " select #kind { option value="" { "all" } } }
                output #found role="status" for="search action kind" {}
            }
            div.scroll tabindex="0" role="region" aria-labelledby="decisions-title" {
                table #decisions {
                    thead { tr {
                        th scope="col" { "time" } th scope="col" { "object" }
                        th scope="col" { "action" } th scope="col" { "reason" }
                        th scope="col" { "why" }
                    } }
                    tbody {}
                }
            }
            nav.pages aria-label="Pages of decisions" {
                button #earlier type="button" { "Earlier" }
                span #page {}
                button #later type="button" { "Later" }
            }
        }
    }
}

#[cfg(test)]
mod tests;
