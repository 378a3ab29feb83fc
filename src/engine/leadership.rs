//! Who acts.
//!
//! | State | What is done | Leaves it when | To |
//! |---|---|---|---|
//! | standby | what happens is taken in, nothing is wanted | it is told to lead | leading |
//! | leading | everything is looked at once, then what changes | it is told to stand by | standby |
//!
//! Another process may have acted while this one stood by. So what was decided and not done is
//! forgotten on the way down, and machines are looked up before anything is bought on the way up.

use super::input::Leadership;
use super::state::{News, State};

/// This process leads from now on, or no longer does.
pub(super) fn changed(state: &mut State, leadership: Leadership) {
    match leadership {
        Leadership::Standby => stand_by(state),
        Leadership::Leading => state.look_at_everything(),
    }
}

fn stand_by(state: &mut State) {
    state.groups.clear();
    state.thinking = None;
    state.news = News::default();
    let marked: Vec<_> = std::mem::take(&mut state.marking).into_keys().collect();
    for name in &marked {
        let dirty = state.cluster.unmark_going(name);
        state.absorb(dirty);
    }
    let claims: Vec<_> = state.cluster.claims().map(|it| it.name.clone()).collect();
    for name in &claims {
        let dirty = state.cluster.withdraw_claim(name);
        state.absorb(dirty);
    }
}
