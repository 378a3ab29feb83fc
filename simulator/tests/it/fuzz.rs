//! Drawn worlds: sound shells pass, broken ones are found.

use tidewright_simulator::faults::Sabotage;
use tidewright_simulator::fuzz::{Case, draw, parse_cuts, run, shrink, watch};
use tidewright_simulator::oracle::Failure;

/// The seeds that every run of the tests tries.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=50;

#[test]
fn fifty_seeds_pass() {
    let mut checks = 0;
    for seed in SEEDS {
        let verdict = run(seed, None);
        let failures = &verdict.failures;
        assert!(failures.is_empty(), "{failures:?}\n{}", command(seed));
        checks += verdict.checks;
    }
    assert!(checks > 1_000, "the oracles hardly looked: {checks} times");
}

fn command(seed: u64) -> String {
    Case::whole(seed, None).command()
}

/// Seeds that failed once, each for its reason.
const FAILED_ONCE: [u64; 7] = [220, 360, 597, 1_068, 1_540, 2_620, 5_949];

#[test]
fn seeds_that_failed_once_pass() {
    for seed in FAILED_ONCE {
        let failures = run(seed, None).failures;
        assert!(failures.is_empty(), "{failures:?}\n{}", command(seed));
    }
}

/// A sabotage is found by the oracle that is there for it. The seeds are tried in order from the
/// first on, as `tidewright-sim fuzz --sabotage` does.
fn check(sabotage: Sabotage, oracles: &[&str]) {
    let mut verdicts = (1..=500).map(|seed| run(seed, Some(sabotage)));
    let found = verdicts.find(|verdict| !verdict.failures.is_empty());
    let found = found.unwrap_or_else(|| panic!("500 seeds do not find {}", sabotage.name()));
    let oracle = found.failures[0].oracle;
    assert!(
        oracles.contains(&oracle),
        "{} is found by {oracle} in seed {}",
        sabotage.name(),
        found.seed
    );
}

#[test]
fn every_sabotage_is_found() {
    for sabotage in Sabotage::ALL {
        let oracles: &[&str] = match sabotage {
            Sabotage::TokenDropped => &["launched-once", "limits"],
            // What the first of two calls found sold out, nobody hears.
            Sabotage::EffectTwice => &["launched-once", "limits", "sold-out"],
            Sabotage::PreconditionIgnored => &["intent"],
            Sabotage::BudgetUnread => &["budget"],
            // An empty list also says of machines that run that they are gone: their claims go all
            // at once, and others are bought beside them.
            Sabotage::SweepOff => &["orphan", "budget", "limits"],
            Sabotage::TerminateLost => &["orphan"],
            Sabotage::ProtectionUnread => &["do-not-disrupt"],
            Sabotage::LimitsUnread => &["limits"],
            Sabotage::SoldOutUnreported => &["sold-out"],
            Sabotage::InterruptionUnheard => &["interruption"],
            Sabotage::RequestsHalved => &["promise", "bound"],
            Sabotage::PdbIgnored => &["pdb"],
            Sabotage::StuckAwaited => &["leaving"],
            // Who believes that a claim was told to go does not tell it again.
            Sabotage::RefusalHidden => &["interruption", "bound"],
            Sabotage::AgesUnread | Sabotage::WakeUpsLost => &["bound"],
        };
        check(sabotage, oracles);
    }
}

#[test]
fn a_seed_draws_the_same_world_again() {
    let text = |seed| format!("{:?}", draw(seed).setup(None));
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
    assert_eq!(run(7, None), run(7, None));
}

/// A world in which a sabotage is found is cut down, and what comes out is a world like any other.
fn check_shrunk(seed: u64, sabotage: Sabotage) {
    let whole = Case::whole(seed, Some(sabotage));
    let found = watch(&whole, |_| ());
    let oracle = |failures: &[Failure]| failures.first().map(|it| it.oracle);
    assert!(!found.failures.is_empty(), "{}", whole.command());

    let shrunk = shrink(&whole, &found, || ());
    let case = &shrunk.case;
    assert_eq!(oracle(&shrunk.verdict.failures), oracle(&found.failures));
    assert!(shrunk.verdict.steps < found.steps, "{}", case.command());
    let (size, before) = (case.drawn().size(), whole.drawn().size());
    assert!(size < before, "{size} of {before} objects and deeds");
    assert_eq!(shrunk, shrink(&whole, &found, || ()));

    let command = case.command();
    let (_, cuts) = command.split_once(" --cut ").expect("something was cut");
    let again = Case {
        cuts: parse_cuts(cuts).expect("what is printed can be read"),
        ..whole
    };
    assert_eq!(&again, case);
    assert_eq!(watch(&again, |_| ()), shrunk.verdict);
}

#[test]
fn a_world_that_fails_is_shrunk() {
    check_shrunk(9, Sabotage::BudgetUnread);
    check_shrunk(4, Sabotage::SoldOutUnreported);
}
