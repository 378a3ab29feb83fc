//! The report's page in a real browser without a network: `cargo test --features browser`.
//!
//! It needs Chromium, at `/usr/bin/chromium` or where `CHROMIUM` says, and coreutils. Each visit has
//! an empty profile and a resolver that knows no name; where the kernel lets an ordinary user make
//! one, also a network of its own without any link.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A page opens within this, on the browser's own clock.
const OPENS_WITHIN_MILLIS: u64 = 3_000;

/// A page has less than this, however long the day was.
const BYTES_MAX: u64 = 8_000_000;

/// The charts, and what is drawn in each at least.
const CHARTS: [(&str, &str); 7] = [
    ("machines-by-purchase", "js-fill"),
    ("machines-by-type", "js-fill"),
    ("pods", "js-fill"),
    ("spending", "js-line"),
    ("events", "point"),
    ("waiting-by-creation", "point"),
    ("waiting-histogram", "point"),
];

/// What came of a visit.
struct Visit {
    /// The document once everything was loaded.
    dom: String,
    /// What the page asked the network for.
    requests: Vec<String>,
    /// What the page complained of, such as broken scripts and violations of its policy.
    complaints: Vec<String>,
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}"))
}

/// The page of a scenario, written by the binary as users run it. Tests run side by side, so each
/// gives its file a name.
fn page(scenario: &str, name: &str) -> PathBuf {
    let file = scratch(&format!("{name}.html"));
    let output = Command::new(env!("CARGO_BIN_EXE_tidewright-sim"))
        .args(["run", scenario, "--html"])
        .arg(&file)
        .output()
        .expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}: {errors}");
    file
}

/// A page with something behind its end: a script that uses it, or a load that must be noticed.
fn page_with(scenario: &str, name: &str, addition: &str) -> PathBuf {
    let file = page(scenario, name);
    let text = std::fs::read_to_string(&file).expect("the page is text");
    let text = text.replace("</body>", &format!("{addition}</body>"));
    std::fs::write(&file, text).expect("the scratch folder can be written");
    file
}

/// A browser with an empty profile, cut off from the network.
fn browser(profile: &Path) -> Command {
    let unlinked = ["--map-root-user", "--net"];
    let may_unlink = Command::new("unshare").args(unlinked).arg("true").output();
    let may_unlink = may_unlink.is_ok_and(|output| output.status.success());
    let mut command = Command::new("timeout");
    command.arg("120");
    if may_unlink {
        command.arg("unshare").args(unlinked);
    }
    let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    command.arg(chromium).args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        "--window-size=1400,2400",
        "--hide-scrollbars",
    ]);
    command.arg(with_value("--user-data-dir", profile));
    command
}

fn with_value(option: &str, path: &Path) -> String {
    format!("{option}={}", path.display())
}

fn visit(name: &str, page: &Path) -> Visit {
    let profile = scratch(&format!("{name}-profile"));
    // Left from an earlier run; there is none on the first.
    let _removed = std::fs::remove_dir_all(&profile);
    let log = scratch(&format!("{name}-net.json"));
    let output = browser(&profile)
        .arg(with_value("--log-net-log", &log))
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("coreutils are installed");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the browser prints UTF-8");
    let (dom, errors) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "Chromium is needed: {errors}");
    // The browser's own pages complain of the missing network as well.
    let said = errors.lines().filter(|line| line.contains("CONSOLE"));
    let complaints = said.filter(|line| !line.contains("source: chrome:"));
    Visit {
        dom,
        requests: requests(&log),
        complaints: complaints.map(str::to_owned).collect(),
    }
}

/// The addresses that the page asked for, read from the browser's own record. What the browser asks
/// for by itself, such as updates, has no origin; what a page asks for has one.
fn requests(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).expect("the browser has written its record");
    let log: Value = serde_json::from_str(&text).expect("the record is JSON");
    let start = &log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"];
    assert!(start.is_u64(), "the record no longer knows this event");
    let events = log["events"].as_array().expect("the record lists events");
    let started = events.iter().filter(|event| event["type"] == *start);
    let params = started.map(|event| &event["params"]);
    let of_page = params.filter(|it| it["initiator"].as_str() != Some("not an origin"));
    let urls = of_page.filter_map(|it| it["url"].as_str());
    urls.filter(|url| url.starts_with("http"))
        .map(str::to_owned)
        .collect()
}

fn drawn_millis(dom: &str) -> u64 {
    let (_, rest) = dom
        .split_once("data-drawn-millis=\"")
        .expect("the charts are drawn");
    let (digits, _) = rest.split_once('"').expect("an attribute ends");
    digits.parse().expect("a number of milliseconds")
}

fn figure<'a>(dom: &'a str, id: &str) -> &'a str {
    let (_, rest) = dom
        .split_once(&format!("<figure class=\"card chart\" id=\"{id}\">"))
        .expect("the page has the chart");
    rest.split("</figure>").next().expect("a figure ends")
}

#[test]
fn charts_are_drawn_without_a_network() {
    for scenario in ["zero-to-one", "limits-bind", "mixed-day"] {
        let page = page(scenario, scenario);
        let Visit {
            dom,
            requests,
            complaints,
        } = visit(scenario, &page);
        assert_eq!(requests, [""; 0], "{scenario}");
        assert_eq!(complaints, [""; 0], "{scenario}");
        for (id, mark) in CHARTS {
            let figure = figure(&dom, id);
            assert!(
                figure.contains("<svg class=\"main-svg\""),
                "{scenario}: {id}"
            );
            assert!(
                figure.contains("class=\"trace "),
                "{scenario}: {id} has no trace"
            );
            assert!(
                figure.contains(&format!("class=\"{mark}\"")),
                "{scenario}: {id} has no {mark}"
            );
        }
        every_mark_is_drawn(&dom, scenario);
        assert!(
            dom.contains("<span class=\"badge\""),
            "{scenario}: no decision is shown"
        );
    }
}

/// A time that the library does not understand leaves its mark out without a word.
fn every_mark_is_drawn(dom: &str, scenario: &str) {
    let (_, rest) = dom.split_once("id=\"data\">").expect("the page has data");
    let (json, _) = rest.split_once("</script>").expect("the data ends");
    let data: Value = serde_json::from_str(json).expect("the data is JSON");
    for (id, marks) in [
        ("events", &data["events"]),
        ("waiting-by-creation", &data["waiting"]["pods"]),
        ("waiting-histogram", &data["waiting"]["bins"]),
    ] {
        let drawn = figure(dom, id).matches("class=\"point\"").count();
        let all = marks.as_array().map_or(0, Vec::len);
        assert_eq!(drawn, all, "{scenario}: {id}");
    }
}

/// Looking closer at one chart moves the others, and gives them times to match.
#[test]
fn all_charts_over_time_show_the_same_span() {
    let script = "<script>
        const plot = (id) => document.querySelector(`#${id} .plot`);
        const closer = {'xaxis.range[0]': '1970-01-01 00:02', 'xaxis.range[1]': '1970-01-01 00:04:30'};
        Plotly.relayout(plot('pods'), closer).then(() => {
            const axis = plot('events').layout.xaxis;
            document.title = [...axis.range, axis.ticktext[0], axis.ticktext.at(-1)].join(', ');
        });
    </script>";
    let visit = visit("closer", &page_with("zero-to-one", "closer", script));
    assert_eq!(visit.complaints, [""; 0]);
    let title = "<title>1970-01-01 00:02:00.000, 1970-01-01 00:04:30.000, 2:00, 4:30</title>";
    let (_, found) = visit.dom.split_once("<title>").expect("a title");
    assert!(visit.dom.contains(title), "{}", &found[..100]);
}

/// The best of three visits: a page cannot be faster than it is, while a busy machine can be slower.
#[test]
fn the_page_of_a_day_is_small_and_opens_quickly() {
    let page = page("mixed-day", "quickly");
    let bytes = std::fs::metadata(&page).expect("it was written").len();
    println!("{bytes} bytes");
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
    let visits = (0..3).map(|_| drawn_millis(&visit("quickly", &page).dom));
    let best = visits.min().expect("there were three");
    println!("opened and drawn within {best} ms");
    assert!(best < OPENS_WITHIN_MILLIS, "{best} ms");
}

#[test]
fn decisions_are_found_by_words_and_by_action() {
    let script = "<script>
        const set = (id, value, event) => {
            const field = document.getElementById(id);
            field.value = value;
            field.dispatchEvent(new Event(event));
        };
        set('action', 'Launched', 'change');
        document.title = document.getElementById('found').textContent;
        set('action', '', 'change');
        set('search', 'MACHINE spot bought-by-nobody', 'input');
        document.title += ', ' + document.getElementById('found').textContent;
        set('search', '  Spot   MACHINE ', 'input');
        document.title += ', ' + document.getElementById('found').textContent;
    </script>";
    let visit = visit("search", &page_with("zero-to-one", "search", script));
    assert_eq!(visit.complaints, [""; 0]);
    let (_, title) = visit.dom.split_once("<title>").expect("a title");
    let (title, _) = title.split_once("</title>").expect("a title ends");
    let counts: Vec<&str> = title.split(", ").collect();
    let all = counts[0].split(" of ").last().expect("it says of how many");
    assert_eq!(counts[..2], [format!("1 of {all}"), format!("0 of {all}")]);
    let found: usize = counts[2]
        .split(' ')
        .next()
        .and_then(|it| it.parse().ok())
        .expect("a count");
    assert!(found > 0 && found.to_string() != all, "{title}");
}

/// Without its policy a page may ask for a picture; the record must show that it did. With the policy
/// the picture is refused, and the page says so.
#[test]
fn a_request_would_be_noticed() {
    let picture = "<img src=\"http://example.invalid/a.png\">";
    let guarded = page_with("zero-to-one", "guarded", picture);
    let visit_guarded = visit("guarded", &guarded);
    assert_eq!(visit_guarded.requests, [""; 0]);
    assert!(
        !visit_guarded.complaints.is_empty(),
        "the policy refuses the picture"
    );

    let text = std::fs::read_to_string(&guarded).expect("the page is text");
    let open = scratch("open.html");
    let text = text.replace("Content-Security-Policy", "Not-A-Policy");
    std::fs::write(&open, text).expect("the scratch folder can be written");
    let requests = visit("open", &open).requests;
    assert_eq!(requests, ["http://example.invalid/a.png"]);
}

/// For whoever wants to look: `browser-picture.png` in the scratch folder of the target folder.
#[test]
fn a_picture_of_the_page_is_not_blank() {
    let profile = scratch("picture-profile");
    let _removed = std::fs::remove_dir_all(&profile);
    let picture = scratch("picture.png");
    let output = browser(&profile)
        .arg(with_value("--screenshot", &picture))
        .arg(format!(
            "file://{}",
            page("limits-bind", "picture").display()
        ))
        .output()
        .expect("coreutils are installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Chromium is needed: {errors}");
    let bytes = std::fs::read(&picture).expect("there is a picture");
    assert!(bytes.starts_with(b"\x89PNG"));
    // A blank page of this size compresses to a tenth of that.
    assert!(bytes.len() > 80_000, "{} bytes", bytes.len());
    println!("{}", picture.display());
}
