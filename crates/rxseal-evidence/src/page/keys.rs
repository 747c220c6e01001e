//! The part of the page about keys.

use rxseal_html::{Page, Table, number};

use super::rows::{MAX_ROWS, say_more};
use super::time::day;
use crate::facts::Facts;

pub(super) fn write(page: &mut Page, facts: &Facts) {
    page.heading("Which keys there are");
    if facts.keyrings.is_empty() {
        page.nothing("No keyring was given, so nothing can be said of keys.");
        return;
    }
    let mut table = Table::new(["Keyring", "Key", "State", "Algorithm", "Made", "Changed", "Tokens"]).numeric(6);
    let keys = || facts.keyrings.iter().flat_map(|ring| ring.keys.iter().map(move |key| (ring, key)));
    for (ring, key) in keys().take(MAX_ROWS) {
        let state = if key.primary { format!("{}, seals", key.state) } else { key.state.to_owned() };
        let tokens = match &facts.scan {
            Some(scan) if key.usage == "seal" => number(scan.tokens_under(&key.id)),
            _ => String::new(),
        };
        table.row([
            format!("{}, generation {}", ring.keyspace, ring.generation).into(),
            format!("{} ({})", key.id, key.usage).into(),
            state.into(),
            key.algorithm.into(),
            day(key.created).into(),
            day(key.changed).into(),
            tokens.into(),
        ]);
    }
    page.table(&table);
    say_more(page, keys().count());

    page.heading("Which root keys unlock them, and where they are");
    let mut table = Table::new(["Keyring", "Provider", "Root key", "Apart from the data"]);
    let roots = || facts.keyrings.iter().flat_map(|ring| ring.root_keys.iter().map(move |root| (ring, root)));
    for (ring, root) in roots().take(MAX_ROWS) {
        let place: Vec<_> = [&root.region, &root.account].into_iter().flatten().map(String::as_str).collect();
        let provider =
            if place.is_empty() { root.provider.clone() } else { format!("{} ({})", root.provider, place.join(", ")) };
        let apart = format!("{}: {}", root.apart.shown(), root.apart.why);
        table.row([(&*ring.keyspace).into(), provider.into(), (&*root.name).into(), apart.into()]);
    }
    page.table(&table);
    say_more(page, roots().count());
    page.small(
        "Any one of its root keys unlocks a keyring. Keyrings are as their files say; nobody unlocked them to see.",
    );
}
